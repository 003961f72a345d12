import HailCore

/// What a spool held when it was opened: what is still owed to the store, and the tail that may be asked for again.
package struct SpoolRecovery: Equatable, Sendable {
    package struct Batch: Equatable, Sendable {
        package let header: BatchHeader
        package let location: SpoolLocation
        /// When the store acknowledged it (Unix seconds); nil: it is owed.
        package let acknowledgedSeconds: Int64?

        package init(header: BatchHeader, location: SpoolLocation, acknowledgedSeconds: Int64?) {
            self.header = header
            self.location = location
            self.acknowledgedSeconds = acknowledgedSeconds
        }

        package var isAcknowledged: Bool { acknowledgedSeconds != nil }
    }

    /// A window of which something is not known to be in the store.
    package struct Window: Equatable, Sendable {
        package let id: UInt64
        package let startSeconds: Int64
        package let eventCount: UInt64
        /// Shards whose cells are in no batch: they are in its body only.
        package let uncovered: ShardSet
        /// Batches that bring the rest and were not acknowledged.
        package let outstanding: [BatchIdentity]
        /// Where what it held lies.
        package let body: SpoolLocation
    }

    /// In the order they were written.
    package var batches: [Batch] = []
    package var windows: [Window] = []
    /// Files whose records are too old to be replayed, by the name they have now.
    package var setAside: [String] = []
    /// Files with bytes that do not read; what came before those counts.
    package var damaged: [String] = []
    /// Bytes of a record that was being written when the agent died.
    package var tornBytes = 0

    /// Seconds after which a record is set aside instead of replayed: the guards that would stop a second
    /// application live twice as long.
    package static let replayableSeconds: Int64 = 4 * 86_400
}
