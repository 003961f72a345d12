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
    /// Values of which something is counted as `__other__`.
    let foldedValues: Int

    init(_ cells: PendingShard, of number: UInt8, firstSequence: UInt64, builder: BatchBuilder) {
        self.number = number
        self.cells = cells
        var batches: [(header: BatchHeader, bytes: [UInt8])] = []
        var claimants: [[UInt64?]] = []
        foldedValues = builder.build(cells, shard: Shard(number), firstSequence: firstSequence) { batch in
            batches.append((BatchHeader(batch), batch.bytes))
            claimants.append(batch.conditions.map { $0.flatMap { cells.claims[$0.onceID] } })
        }
        self.batches = batches
        self.claimants = claimants
    }

    /// The id under which they are numbered; every shard has one batch at least.
    var agent: Digest? { batches.first?.header.identity.agent }

    var cellCount: Int { batches.reduce(0) { $0 + $1.header.cellCount } }

    /// The windows whose cells it holds.
    var windows: [UInt64] { cells.windows }

    /// In which shards each window is a part of what was numbered: not always all that are, since what a shard asks the
    /// store about is numbered without what came meanwhile.
    static func shardsByWindow(_ numbered: [NumberedShard]) -> [UInt64: Set<UInt8>] {
        var shards: [UInt64: Set<UInt8>] = [:]
        for shard in numbered { for window in shard.windows { shards[window, default: []].insert(shard.number) } }
        return shards
    }
}
