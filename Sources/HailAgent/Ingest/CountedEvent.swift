import HailCore

/// An event that did not come as a line: an HTTP call's.
struct CountedEvent: Sendable {
    let name: SeriesName
    /// Millionths, by the metrics of the name.
    let micros: [Int64]
    /// Unix seconds; nil for now.
    let timeSeconds: Int64?

    /// The values as a line's lie in the buffer: a gauge has two, its bits and that it is set.
    var bufferValues: [Int64] {
        guard name.kind == .gauge else { return micros }
        return micros.flatMap { [Int64(bitPattern: (Double($0) / 1_000_000).bitPattern), 0] }
    }
}
