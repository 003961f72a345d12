package import HailCore

/// Sums of counters over one span of time, on their way into batches.
package struct SpanSums: Equatable, Sendable {
    /// What keeps spans apart: spans of the same key are added up.
    package struct Key: Hashable, Sendable {
        package let startSeconds: Int64
        /// The finest width that the sums still know.
        package let widthSeconds: Int64
        package let condition: BatchGroup.Condition?
    }

    package var records: [UInt32] = []
    /// Millionths, by the place in `records`.
    package var sums: [Int128] = []
}
