/// The bounds that the line format and the store layout share.
///
/// `protocol/line.md` publishes them.
package enum Limits {
    /// The largest UDP payload over IPv4.
    package static let datagramBytes = 65_507
    package static let subjectParts = 16
    package static let tags = 32
    /// Parts of one dimension path, the dimension's own name included.
    package static let pathDepth = 8
    /// Paths of declared views that one line counts at, all views together.
    package static let crossings = 128
    package static let partBytes = 256
    package static let metricsPerLine = 64
    /// The largest magnitude of one counted value, after division by the rate.
    package static let largestValue: Int64 = 9_000_000_000_000
    /// The smallest sample rate, in millionths.
    package static let smallestRateMicros: Int64 = 1
    /// How far ahead of the clock a line's `T` may be, in seconds.
    package static let futureSeconds: Int64 = 600
    /// Cells that one script call may carry.
    package static let cellsPerBatch = 2_000
    /// Names that one script call may ask for.
    package static let namesPerAsk = 4_000
}
