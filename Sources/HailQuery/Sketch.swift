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
    /// - Parameters:
    ///   - share: in millionths of a percent, 0…100,000,000.
    ///   - least: the least value, where it is known exactly.
    ///   - greatest: the greatest.
    /// - Complexity: sorts the buckets.
    func quantile(millionthsOfPercent share: Int, least: Double?, greatest: Double?) -> Double? {
        let sorted = counts.sorted { SketchScale.isOrdered($0.key, $1.key) }
        let total = sorted.reduce(Int128(0)) { $0 + Int128($1.value) }
        guard total > 0 else { return nil }
        func value(at rank: Int128) -> Double {
            if rank == 0, let least { return least }
            if rank == total - 1, let greatest { return greatest }
            var rest = rank
            let bucket = sorted.first { bucket in
                rest -= Int128(bucket.value)
                return rest < 0
            }
            // What is known exactly bounds what is not.
            let value = SketchScale.value(of: bucket?.key ?? SketchScale.zero)
            return min(max(value, least ?? value), greatest ?? .infinity)
        }
        let whole: Int128 = 100_000_000
        let (rank, rest) = ((total - 1) * Int128(share)).quotientAndRemainder(dividingBy: whole)
        let lower = value(at: rank)
        guard rest > 0 else { return lower }
        return lower + (value(at: rank + 1) - lower) * Double(rest) / Double(whole)
    }
}
