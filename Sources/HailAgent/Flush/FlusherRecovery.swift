import Dispatch
import HailAggregate
import HailCore
import HailStore

/// What an earlier start left behind.
extension Flusher {
    /// Takes back the windows that the spool of an earlier start held: what no batch covers is folded anew, and their
    /// events count as accepted again.
    ///
    /// - Parameter rebuild: the window that a spooled body says, or nil if it makes no sense.
    func recover(_ windows: [SpoolRecovery.Window], rebuild: (SpoolRecovery.Window) -> ClosedWindow?) {
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
        if pending.entryCount > 0 { dispatchSoon() }
    }
}
