import Dispatch
import HailAggregate
import HailCore
import HailStore

/// What an earlier start left behind.
extension Flusher {
    /// Takes back the windows that the spool of an earlier start held: what no batch covers is folded anew and numbered.
    ///
    /// Their events count as accepted again. `rebuild` answers nil for a spooled body that makes no sense.
    func recover(
        _ windows: [SpoolRecovery.Window], as numbers: RecoveredNumbers,
        rebuild: (SpoolRecovery.Window) -> ClosedWindow?
    ) -> [SpoolRecovery.Batch] {
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
        let made = numbers.number(pending, nowSeconds: WallClock.seconds) { spool.append([], $0) }
        for shard in made.shards { claim(shard) }
        if !pending.isEmpty { dispatchSoon() }
        return made.batches
    }
}
