import HailCore

/// An event that did not come as a line: an HTTP call's.
struct CountedEvent: Sendable {
    let name: SeriesName
    /// Millionths, by the metrics of the name.
    let micros: [Int64]
    /// Unix seconds; nil for now.
    let timeSeconds: Int64?
}
