/// The books at one moment.
struct LedgerSnapshot: Sendable {
    let counts: LedgerCounts
    /// Events in windows that are open.
    let openEvents: UInt64
    /// Events in windows that are closed and not wholly in the store.
    let windowEvents: UInt64

    var pendingEvents: UInt64 { openEvents + windowEvents }
}
