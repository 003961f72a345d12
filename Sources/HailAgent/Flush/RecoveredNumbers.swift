import HailAggregate
import HailCore
import HailStore

/// Numbers what came back from the spool without a number, under ids that the windows themselves decide.
///
/// Who takes up a copy of the same spool gives the same numbers, so the store counts the two once, as it does with what
/// had a number before.
struct RecoveredNumbers {
    /// By shard: digests of the windows that owe it something, in the order they were written.
    private var owed = [[UInt8]](repeating: [], count: 256)
    private let digester: Digester

    /// - Parameter spool: reads what the windows hold.
    init(_ windows: [SpoolRecovery.Window], in spool: SpoolReader, digester: @escaping Digester) {
        self.digester = digester
        for window in windows where !window.uncovered.isEmpty {
            var text = ByteWriter()
            text.put(window.id)
            text.put(spool.read(window.body) ?? [])
            var mark = ByteWriter()
            mark.put(digester(text.bytes))
            for shard in window.uncovered.shards { owed[Int(shard.number)] += mark.bytes }
        }
    }

    /// The id under which a shard's batches are numbered from 1.
    func id(of shard: UInt8) -> Digest { digester(Array("spool".utf8) + [shard] + owed[Int(shard)]) }

    /// Makes batches of all that is pending and has them spooled, a few megabytes at a time; what the spool does not
    /// take stays pending, to be numbered as what is new.
    ///
    /// - Parameter append: writes to the spool, or answers nil.
    func number(
        _ pending: PendingCells, nowSeconds: Int64, append: ([NumberedShard]) -> [SpoolLocation?]?
    ) -> (batches: [SpoolRecovery.Batch], shards: [NumberedShard]) {
        var done: (batches: [SpoolRecovery.Batch], shards: [NumberedShard]) = ([], [])
        var group: [NumberedShard] = []
        var byteCount = 0
        func write() {
            if let locations = append(group) {
                for (batch, location) in zip(group.flatMap(\.batches), locations) {
                    guard let location else { continue }
                    done.batches.append(
                        SpoolRecovery.Batch(header: batch.header, location: location, acknowledgedSeconds: nil))
                }
                done.shards += group
            } else {
                for shard in group { pending.putBack(shard.cells, shard: shard.number) }
                pending.book.forgetMarks()
            }
            (group, byteCount) = ([], 0)
        }
        // A shard that no window owes anything has names at most: they go with what is new.
        for number in UInt8.min...UInt8.max where !owed[Int(number)].isEmpty {
            let builder = BatchBuilder(book: pending.book, agent: id(of: number), nowSeconds: nowSeconds)
            let shard = NumberedShard(pending.take(shard: number), of: number, firstSequence: 1, builder: builder)
            group.append(shard)
            byteCount += shard.batches.reduce(0) { $0 + $1.bytes.count }
            if byteCount >= Spool.segmentBytes { write() }
        }
        if !group.isEmpty { write() }
        return done
    }
}
