/// Requests that answer when windows are safe.
///
/// Confined to the flush queue.
struct Waiters {
    enum Level: Equatable, Sendable {
        /// On disk: survives a kill of the agent.
        case spool
        /// In the store and readable.
        case store
    }

    private struct Waiter {
        var windows: Set<UInt64>
        let level: Level
        let done: @Sendable (_ isSafe: Bool) -> Void
    }

    private var waiters: [UInt64: Waiter] = [:]
    private var nextID: UInt64 = 0
    /// Windows that were merged lately, and what stands for them.
    private var merged: [UInt64: UInt64] = [:]
    private var mergedOrder: [UInt64] = []

    /// Merged windows that are remembered: who waits asks right after the window closed.
    private static let mergedLimit = 4_096

    var isEmpty: Bool { waiters.isEmpty }

    /// - Returns: the waiter's number, for `giveUp`; nil if there was nothing to wait for and `done` was called.
    mutating func add(
        windows: Set<UInt64>, level: Level, done: @escaping @Sendable (Bool) -> Void
    ) -> UInt64? {
        guard !windows.isEmpty else {
            done(true)
            return nil
        }
        nextID += 1
        waiters[nextID] = Waiter(windows: windows, level: level, done: done)
        return nextID
    }

    /// These windows are on disk, or, with `store`, in the store (which is on disk too, as far as anybody waits).
    mutating func reached(_ level: Level, windows: [UInt64]) {
        guard !waiters.isEmpty, !windows.isEmpty else { return }
        for (id, waiter) in waiters where level == .store || waiter.level == level {
            let left = waiter.windows.subtracting(windows)
            guard left.count < waiter.windows.count else { continue }
            if left.isEmpty {
                waiters[id] = nil
                waiter.done(true)
            } else {
                waiters[id]?.windows = left
            }
        }
    }

    /// What stands for a window now.
    func current(_ window: UInt64) -> UInt64 {
        var window = window
        while let next = merged[window] { window = next }
        return window
    }

    /// One window stands for several from now on.
    mutating func merge(_ windows: [UInt64], into id: UInt64) {
        for window in windows { merged[window] = id }
        mergedOrder += windows
        if mergedOrder.count > 2 * Waiters.mergedLimit {
            let old = mergedOrder.count - Waiters.mergedLimit
            for window in mergedOrder[..<old] { merged[window] = nil }
            mergedOrder.removeFirst(old)
        }
        for (number, waiter) in waiters where !waiter.windows.isDisjoint(with: windows) {
            waiters[number]?.windows = waiter.windows.subtracting(windows).union([id])
        }
    }

    /// The time is up.
    mutating func giveUp(_ id: UInt64) { waiters.removeValue(forKey: id)?.done(false) }

    mutating func giveUpAll() {
        for id in waiters.keys.sorted() { giveUp(id) }
    }
}
