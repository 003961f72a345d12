import Dispatch
import HailAggregate
import HailCore
import HailStore

/// What an earlier start left behind.
extension Flusher {
    /// Takes back the windows that the spool of an earlier start held: what no batch covers is folded anew and set apart,
    /// to be numbered before what is new.
    ///
    /// Their events count as accepted again. `rebuild` answers nil for a spooled body that makes no sense.
    ///
    /// - Parameter ids: under which a shard's part of them is numbered.
    func recover(
        _ windows: [SpoolRecovery.Window], as ids: [UInt8: Digest], rebuild: (SpoolRecovery.Window) -> ClosedWindow?
    ) {
        dispatchPrecondition(condition: .onQueue(queue))
        for recovered in windows {
            var parts = recovered.outstanding.count
            if !recovered.uncovered.isEmpty {
                guard let window = rebuild(recovered) else {
                    log.error("a spooled window cannot be read", ["window": recovered.id])
                    ledger.recovered(window: recovered.id, events: recovered.eventCount, parts: parts + 1)
                    finish(ledger.lost(covers: [recovered.id], reason: .spoolCorrupt))
                    continue
                }
                parts += pending.fold(window, residual: Set(recovered.uncovered.shards.map(\.number))).count
            }
            ledger.recovered(window: recovered.id, events: recovered.eventCount, parts: parts)
        }
        pending.forget(lane: WindowRebuild.lane)
        recovered = ids.filter { !pending.isEmpty(shard: $0.key) }
        for shard in recovered.keys { pending.putBack(pending.take(shard: shard), shard: shard) }
        if !pending.isEmpty { dispatchSoon() }
    }

    /// Numbers what a shard has: from an earlier start, or, where that is done with, from this one.
    ///
    /// - Parameter firstSequence: the next number of this start's own.
    func number(_ shard: UInt8, firstSequence: UInt64, nowSeconds: Int64) -> NumberedShard {
        let id = recovered.removeValue(forKey: shard)
        let builder = BatchBuilder(book: pending.book, agent: id ?? settings.agent, nowSeconds: nowSeconds)
        return NumberedShard(
            pending.take(shard: shard), of: shard, firstSequence: id == nil ? firstSequence : 1, builder: builder)
    }

    /// Takes back what was numbered and may not be sent: it is numbered again, as it was.
    func putBack(_ shards: [NumberedShard]) {
        for shard in shards {
            pending.putBack(shard.cells, shard: shard.number)
            if shard.agent != settings.agent { recovered[shard.number] = shard.agent }
        }
        // The batches that were made of them told the store names; now they will not.
        pending.book.forgetMarks()
    }
}
