/// What the flush queue holds, for `/metrics` and `/status`.
struct FlushSizes: Sendable {
    let spoolBytes: Int
    let pendingBytes: Int
    let subjects: Int
    let records: Int
    let stoppedShards: Int
    let windowMillis: Int64
    let isStoreUp: Bool
}
