import Glibc
import HailCore

/// The books of the agent: every line and event, and where it is now.
///
/// Each step moves events from one place to the next under one lock, so that the books close at any moment they are
/// looked at. Lanes enter whole receive batches, not lines, so the lock costs the line path next to nothing. Guarded by `lock`: the one
/// thing that all queues share.
final class Ledger: @unchecked Sendable {
    /// A window on its way to the store.
    private struct Window {
        var events: UInt64
        /// Batches and unnumbered shards that still hold a part of it; nil until it was folded.
        var parts: Int?
        /// Whether its once-id had been seen before.
        var isUsed = false
        var lostReason: LossReason?
    }

    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private var counts = LedgerCounts()
    /// Events in the open windows, by lane.
    private var open: [Int: UInt64] = [:]
    private var windows: [UInt64: Window] = [:]

    init() {
        lock = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body()
    }

    // MARK: Steps

    /// A lane took in some datagrams or a request.
    func received(_ receipt: LaneReceipt, lane: Int) {
        locked {
            counts.datagrams[receipt.transport, default: 0] += receipt.datagrams
            counts.linesAccepted += receipt.linesAccepted
            if receipt.linesRejected > 0 {
                for (place, count) in receipt.rejected.enumerated() where count > 0 {
                    counts.rejected[LineError.allCases[place], default: 0] += count
                }
                counts.linesRejected += receipt.linesRejected
            }
            counts.sealedUnknownKey += receipt.sealedUnknownKey
            counts.eventsAccepted += receipt.events
            counts.seriesOverflow += receipt.seriesOverflow
            open[lane, default: 0] += receipt.events
        }
    }

    /// A lane's open window was closed.
    func closed(window: UInt64, lane: Int, events: UInt64) {
        locked {
            open[lane, default: 0] -= events
            windows[window] = Window(events: events)
        }
    }

    /// A window came back from the spool of an earlier start: its events count as accepted again.
    func recovered(window: UInt64, events: UInt64, parts: Int) {
        locked {
            counts.eventsAccepted += events
            windows[window] = Window(events: events, parts: parts)
            settle(window)
        }
    }

    /// A window was spread over so many shards.
    func folded(window: UInt64, parts: Int) {
        locked {
            windows[window]?.parts = parts
            settle(window)
        }
    }

    /// One window stands for several from now on, of which so many shards hold parts and nothing is under way.
    func merged(_ windows: [UInt64], into id: UInt64, parts: Int) {
        locked {
            var events: UInt64 = 0
            for window in windows { events += self.windows.removeValue(forKey: window)?.events ?? 0 }
            self.windows[id] = Window(events: events, parts: parts)
            settle(id)
        }
    }

    /// A batch that covers these windows was acknowledged.
    ///
    /// - Returns: the windows that are in the store now, whole, and the events that they brought into it.
    func acknowledged(covers: [UInt64]) -> (windows: [UInt64], storedEvents: UInt64) {
        locked {
            let before = counts.eventsStored
            let settled = covers.filter { id in
                guard let parts = windows[id]?.parts else { return false }
                windows[id]?.parts = parts - 1
                return settle(id)
            }
            return (settled, counts.eventsStored - before)
        }
    }

    /// The once-ids of these windows had been seen before.
    func used(windows ids: some Sequence<UInt64>) {
        locked {
            for id in ids { windows[id]?.isUsed = true }
        }
    }

    /// A part of these windows is gone.
    ///
    /// - Returns: the windows of which nothing is under way any more.
    func lost(covers: [UInt64], reason: LossReason) -> [UInt64] {
        locked {
            covers.filter { id in
                guard let parts = windows[id]?.parts else { return false }
                windows[id]?.parts = parts - 1
                windows[id]?.lostReason = reason
                return settle(id)
            }
        }
    }

    /// The agent ends, and neither store nor spool has these windows.
    func abandoned(windows ids: Set<UInt64>) {
        locked {
            for id in ids {
                guard let window = windows.removeValue(forKey: id) else { continue }
                counts.eventsLost[.stopped, default: 0] += window.events
            }
        }
    }

    /// Anything else that is only counted.
    func count(_ step: (inout LedgerCounts) -> Void) { locked { step(&counts) } }

    /// Moves a window's events to where they ended, once no part is under way.
    @discardableResult
    private func settle(_ id: UInt64) -> Bool {
        guard let window = windows[id], let parts = window.parts, parts <= 0 else { return false }
        windows[id] = nil
        if let reason = window.lostReason {
            counts.eventsLost[reason, default: 0] += window.events
        } else if window.isUsed {
            counts.eventsUsed += window.events
        } else {
            counts.eventsStored += window.events
        }
        return true
    }

    // MARK: Looking

    /// Whether a window is still under way.
    func isPending(_ window: UInt64) -> Bool { locked { windows[window] != nil } }

    /// The windows under way.
    var pendingWindows: [UInt64] { locked { Array(windows.keys) } }

    /// The books at one moment.
    var snapshot: LedgerSnapshot {
        locked {
            LedgerSnapshot(
                counts: counts, openEvents: open.values.reduce(0, +),
                windowEvents: windows.values.reduce(0) { $0 + $1.events })
        }
    }
}
