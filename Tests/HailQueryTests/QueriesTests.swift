import HailCore
import HailQuery
import Testing

@Suite("Queries")
struct QueriesTests {
    @Test("never trap on what a caller may send", arguments: 0..<400)
    func randomParameters(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let words = [
            "", "_", "a", "1m:1h", "all", "a/b", "a:+", "=5", "-hits", "%2F", "1/1/2026-2/1/2026",
            "5-9", "\u{0}", "×",
            "99999999999s:99999999999s",
            "1d:3mo", "-0500", "+14:00", "5", "0.2", "1e9", "true", "é🐳", "99999999998-99999999999", "p99", "a:last",
            "_days_in_month",
        ]
        func value(_ depth: Int) -> JSONValue {
            let word = words.randomElement(using: &generator) ?? ""
            switch Int.random(in: 0..<(depth > 3 ? 5 : 9), using: &generator) {
            case 0: return .null
            case 1: return .bool(Bool.random(using: &generator))
            case 2: return .number(word)
            case 3, 4: return .string(word)
            case 5, 6: return .array((0..<Int.random(in: 0...4, using: &generator)).map { _ in value(depth + 1) })
            default:
                return .object(
                    (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                        .init(words.randomElement(using: &generator) ?? "", value(depth + 1))
                    })
            }
        }
        let names = [
            "pk", "dimensions", "metrics", "periods", "period", "tz", "depth", "sort", "limit", "threshold",
            "with_totals", "descending",
        ]
        let store = FakeStore(ladder: try Ladder(parsing: Ladder.standardText))
        let now = Int64.random(in: -4_000_000_000...40_000_000_000, using: &generator)
        for _ in 0..<10 {
            var parameters: [String: JSONValue] = [:]
            for name in names where Int.random(in: 0..<3, using: &generator) == 0 { parameters[name] = value(0) }
            _ = try? store.totals(parameters, now: now)
            _ = try? store.plotpoints(parameters, now: now)
            _ = try? WrittenPaths(dimensions: value(0))
            _ = try? WrittenPaths(subject: value(0))
            _ = try? WrittenMetrics(value(0))
        }
    }
}
