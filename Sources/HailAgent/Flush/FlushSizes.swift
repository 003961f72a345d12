/// What the flush queue holds, for `/metrics`, `/status` and answers without a store.
struct FlushSizes: Equatable, Sendable {
    let spoolBytes: Int
    let pendingBytes: Int
    let subjects: Int
    let records: Int
    let stoppedShards: Int
    let windowMillis: Int64
    let isStoreUp: Bool
    /// Steady milliseconds since which the store has been away; nil while it is up.
    let awaySinceMillis: Int64?
    /// Whether the spool refuses records, so that a kill would lose what came since.
    let isSpoolFailing: Bool
    /// Seconds of the finest buckets that pending cells still tell apart; nil where there are none.
    let pendingWidthSeconds: Int64?
}
