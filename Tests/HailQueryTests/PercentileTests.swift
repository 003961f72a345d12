import HailCore
import HailQuery
import HailSeal
import Testing

@Suite("Percentiles")
struct PercentileTests {
    static let now = PeriodTests.now

    /// Shapes of values.
    enum Shape: CaseIterable, Sendable {
        case lognormal, bimodal, constant, few

        func values(_ generator: inout SeededGenerator) -> [Double] {
            func normal() -> Double {
                // The sum of twelve uniform numbers has variance 1.
                (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) }
            }
            func power(_ exponent: Double) -> Double {
                // 2^exponent: the whole part exactly, the rest by its series.
                let whole = exponent.rounded(.down)
                let rest = (exponent - whole) * 0.693_147_180_559_945_3
                var (term, sum) = (1.0, 1.0)
                for step in 1...20 {
                    term *= rest / Double(step)
                    sum += term
                }
                return Double(sign: .plus, exponent: Int(whole), significand: 1) * sum
            }
            func rounded(_ value: Double) -> Double { (value * 1_000_000).rounded() / 1_000_000 }
            switch self {
            case .lognormal: return (0..<600).map { _ in rounded(power(5 + 2 * normal())) }
            case .bimodal:
                return (0..<600).map { _ in
                    rounded(Bool.random(using: &generator) ? 10 + normal() / 5 : 4_000 + 50 * normal())
                }
            case .constant: return [Double](repeating: 123.456, count: 200)
            case .few: return [-40, -2, 0, 0.5, 77]
            }
        }
    }

    /// What numpy's `percentile` answers by default: linear between the two nearest in order.
    static func exact(_ values: [Double], _ percent: Double) -> Double {
        let sorted = values.sorted()
        let rank = percent / 100 * Double(sorted.count - 1)
        let low = Int(rank)
        guard low + 1 < sorted.count else { return sorted[sorted.count - 1] }
        return sorted[low] + (sorted[low + 1] - sorted[low]) * (rank - Double(low))
    }

    @Test(
        "are within 2 % of those of all values, merged over time and over children",
        arguments: Shape.allCases, [UInt64(1), 2])
    func accuracy(shape: Shape, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var store = FakeStore(ladder: try Ladder(parsing: "1m:1d,1h:31d"), seed: seed)
        store.sketches = store.ladder.resolutions.filter { !$0.isAllTime }
        let values = shape.values(&generator)
        for value in values {
            let child = ["a", "b", "c"][Int.random(in: 0..<3, using: &generator)]
            let at = Self.now - Int64.random(in: 0..<3_000, using: &generator)
            store.time(value, [], [], "t", at: at)
            store.time(value, [], ["g", child], "t", at: at)
        }
        let percents = [0.0, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 100]
        let metrics = percents.map { $0 == $0.rounded() ? "t:p\(Int($0))" : "t:p\($0)" }
        let totals = try store.totals(
            ["metrics": .array(metrics.map { .string($0) }), "periods": .path("1m:1h", "1h:1d", "all")], now: Self.now)
        // With a threshold of 1 every child is folded: what is left is one series of them all.
        let folded = try store.plotpoints(
            [
                "metrics": .array(metrics.map { .string($0) }), "period": .string("1d:1d"), "dimensions": .string("g"),
                "depth": .number("1"), "threshold": .number("1"), "with_totals": .bool(true), "tz": .string("+0030"),
            ], now: Self.now + 1)
        for (percent, metric) in zip(percents, metrics) {
            let expected = Self.exact(values, percent)
            var found = ["1m:1h", "1h:1d", "all"].map { totals[$0]?["_"]?[metric] }
            found.append(
                folded[#"["g", "__other__"]"#]?[metric].flatMap { series -> JSONValue? in
                    series.pointValues.last.map { .number($0) }
                })
            for value in found.dropLast() + (shape == .few ? [] : found.suffix(1)) {
                guard case .number(let text) = value, let number = Double(text) else {
                    Issue.record("\(metric) is missing")
                    continue
                }
                #expect(abs(number - expected) <= 0.02 * abs(expected) + 1e-9, "\(metric): \(number), \(expected)")
            }
        }
    }
}
