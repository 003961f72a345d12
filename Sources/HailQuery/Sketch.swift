import HailCore

/// How many values lie in each bucket of `SketchScale`.
struct Sketch: Sendable {
    private var counts: [Int: Int64] = [:]

    /// Numbers of buckets a writer can have meant; others of a store that holds nonsense are passed over.
    private static let positive = -5_000..<5_000

    mutating func add(_ count: Int64, to bucket: Int) {
        let isKnown =
            bucket == SketchScale.zero || Sketch.positive.contains(bucket)
            || bucket > Sketch.positive.upperBound && Sketch.positive.contains(bucket - SketchScale.negative)
        guard isKnown, count > 0 else { return }
        let (sum, overflow) = counts[bucket, default: 0].addingReportingOverflow(count)
        counts[bucket] = overflow ? .max : sum
    }

    mutating func merge(_ other: Sketch) {
        for (bucket, count) in other.counts { add(count, to: bucket) }
    }

    /// The value below which a share of the values lies, interpolated linearly between the two nearest of them in
    /// order; nil where there are none.
    ///
    /// - Parameter share: in millionths of a percent, 0…100,000,000.
    /// - Complexity: sorts the buckets.
    func quantile(millionthsOfPercent share: Int) -> Double? {
        guard !counts.isEmpty else { return nil }
        let whole: Int128 = 100_000_000
        let total = counts.values.reduce(Int128(0)) { $0 + Int128($1) }
        let (rank, rest) = ((total - 1) * Int128(share)).quotientAndRemainder(dividingBy: whole)
        var seen: Int128 = 0
        var lower: Double?
        for (bucket, count) in counts.sorted(by: { SketchScale.isOrdered($0.key, $1.key) }) {
            seen += Int128(count)
            if let lower {
                return lower + (SketchScale.value(of: bucket) - lower) * Double(rest) / Double(whole)
            }
            guard seen > rank else { continue }
            let value = SketchScale.value(of: bucket)
            // Where the next in order lies in the same bucket, or none is asked for, nothing is between the two.
            if rest == 0 || seen > rank + 1 { return value }
            lower = value
        }
        return lower
    }
}
