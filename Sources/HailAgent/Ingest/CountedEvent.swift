import HailCore

/// An event that did not come as a line: an HTTP call's.
struct CountedEvent: Sendable {
    let name: SeriesName
    /// Millionths, by the metrics of the name.
    let micros: [Int64]
    /// Unix seconds; nil for now.
    let timeSeconds: Int64?
}

/// A line of a request that was refused.
struct LineRefusal: Equatable, Sendable {
    /// From 1.
    let line: UInt32
    let reason: LineError
}
