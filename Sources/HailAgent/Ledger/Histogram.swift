/// A Prometheus histogram of seconds.
struct Histogram: Sendable {
    static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// Observations at or below each bound, and, last, all of them.
    private(set) var cumulative = [UInt64](repeating: 0, count: Histogram.bounds.count + 1)
    private(set) var sum = 0.0

    mutating func observe(_ seconds: Double) {
        for (place, bound) in Histogram.bounds.enumerated() where seconds <= bound { cumulative[place] += 1 }
        cumulative[Histogram.bounds.count] += 1
        sum += seconds
    }
}
