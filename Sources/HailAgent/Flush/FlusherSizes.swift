extension Flusher {
    /// Sizes for `/metrics` and `/status`.
    struct Sizes: Sendable {
        let spoolBytes: Int
        let pendingBytes: Int
        let subjects: Int
        let records: Int
        let stoppedShards: Int
        let windowMillis: Int64
        let isStoreUp: Bool
    }
}
