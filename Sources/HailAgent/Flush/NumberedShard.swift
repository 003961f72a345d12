import HailAggregate
import HailCore
import HailStore

/// What a shard had pending, and the batches that were made of it.
struct NumberedShard {
    let number: UInt8
    let cells: PendingShard
    let batches: [(header: BatchHeader, bytes: [UInt8])]
    /// By batch: the window that counts under the condition of each group.
    let claimants: [[UInt64?]]

    init(_ cells: PendingShard, of number: UInt8, firstSequence: UInt64, builder: BatchBuilder) {
        self.number = number
        self.cells = cells
        var batches: [(header: BatchHeader, bytes: [UInt8])] = []
        var claimants: [[UInt64?]] = []
        builder.build(cells, shard: Shard(number), firstSequence: firstSequence) { batch in
            batches.append((BatchHeader(batch), batch.encoded))
            claimants.append(batch.groups.map { $0.condition.flatMap { cells.claims[$0.onceID] } })
        }
        self.batches = batches
        self.claimants = claimants
    }

    var cellCount: Int { batches.reduce(0) { $0 + $1.header.cellCount } }

    /// The windows whose cells it holds.
    var windows: [UInt64] { cells.windows }
}
