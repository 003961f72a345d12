import HailAggregate

/// Keeps what has no number yet under `--pending-limit`.
///
/// Confined to the flush queue.
struct PendingLimit {
    var limitBytes: Int
    let ledger: Ledger
    let log: Log
    private var isTold = false

    init(limitBytes: Int, ledger: Ledger, log: Log) {
        self.limitBytes = limitBytes
        self.ledger = ledger
        self.log = log
    }

    /// Gives up the finest resolution first, and only then, by name, whole shards.
    ///
    /// - Returns: the windows that lost a part, and in which shard.
    mutating func hold(_ pending: PendingCells) -> [(shard: UInt8, windows: [UInt64])] {
        var lost: [(shard: UInt8, windows: [UInt64])] = []
        while pending.byteCount > limitBytes {
            let given = pending.coarsen()
            if given > 0 {
                ledger.count { $0.cellsCoarsened += UInt64(given) }
                if !isTold { log.warning("pending limit reached: the finest cells are folded into coarser ones") }
                isTold = true
                continue
            }
            let largest = pending.shards.indices.max { pending.shards[$0].byteCount < pending.shards[$1].byteCount }
            guard let largest, pending.shards[largest].entryCount > 0 else { break }
            lost.append((UInt8(largest), pending.takeMerging(shard: UInt8(largest)).windows))
            log.error("pending limit reached: a shard's cells are lost", ["shard": largest])
        }
        if pending.entryCount == 0 { isTold = false }
        return lost
    }
}
