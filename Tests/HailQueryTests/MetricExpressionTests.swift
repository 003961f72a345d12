import HailCore
import HailQuery
import Testing

@Suite("Metric expression")
struct MetricExpressionTests {
    @Test(
        "reads names, ratios, modes and escapes",
        arguments: [
            ("dollars", "dollars", nil, MetricTerm.Carry.none), ("dollars/hits", "dollars", "hits", .none),
            ("hits:+", "hits", nil, .cumulative), ("hits: ", "hits", nil, .cumulative),
            ("hits:last", "hits", nil, .forward),
            ("hits:counter", "hits", nil, .none), ("hits:counter:+", "hits", nil, .cumulative),
            ("a%2Fb%3ac/d%2fe", "a/b:c", "d/e", .none), ("100%", "100%", nil, .none), (" a / b ", "a", "b", .none),
            ("a%25", "a%25", nil, .none), ("dollars/=200", "dollars", "=200", .none),
        ] as [(String, String, String?, MetricTerm.Carry)])
    func forms(text: String, top: String, bottom: String?, carry: MetricTerm.Carry) throws {
        let expression = try MetricExpression(parsing: text)
        #expect(expression.numerator.name.text == top)
        #expect(expression.denominator?.name.text == bottom)
        #expect(expression.numerator.carry == carry)
    }

    @Test(
        "knows constants",
        arguments: [
            ("days", Constant.width(unitSeconds: 86_400), false), ("=days", .width(unitSeconds: 86_400), true),
            ("200", .number(Quantity(200)), false), ("=200", .number(Quantity(200)), true),
            ("0.5", .number(Quantity(1, over: 2)), false), ("_count", .pointCount, false),
            ("_days_in_month", .daysInMonth, false), ("hits", nil, false), ("days:counter", nil, false),
        ] as [(String, Constant?, Bool)])
    func constants(text: String, constant: Constant?, isForced: Bool) throws {
        let term = try MetricExpression(parsing: text).numerator
        switch (term.constant, constant) {
        case (.number(let left), .number(let right)): #expect(left.double == right.double)
        default: #expect(term.constant == constant)
        }
        #expect(term.isForced == isForced)
    }

    @Test(
        "refuses what is malformed",
        arguments: [
            "", "/", "a/", "/b", "a/b/c", "a:", "a:b", "a:+:last", "a:p101", "a:p-1", "a:p", "a:px", "a:p50:p60",
            "a:p1.0000001", "a\u{0}",
            "a:counter:counter", "a:gauge:p50", "a:set:count", "a:counter:mean",
        ])
    func refused(text: String) {
        #expect(code { _ = try MetricExpression(parsing: text) } == .badMetric)
    }

    @Test(
        "chooses a kind by its name or by a statistic that only timers have",
        arguments: [
            ("a", nil, nil), ("a:counter", .counter, nil), ("a:gauge", .gauge, nil), ("a:timer", .timer, nil),
            ("a:set:last", .set, nil), ("a:count", .timer, .count), ("a:sum:+", .timer, .sum),
            ("a:timer:mean", .timer, .mean), ("a:min", .timer, .min), ("a:max", .timer, .max),
            ("a:stddev", .timer, .stddev), ("a:p0", .timer, .percentile(0)),
            ("a:p50", .timer, .percentile(50_000_000)), ("a:p99.9", .timer, .percentile(99_900_000)),
            ("a:p99.999", .timer, .percentile(99_999_000)), ("a:p100:timer", .timer, .percentile(100_000_000)),
        ] as [(String, Kind?, MetricTerm.Statistic?)])
    func kinds(text: String, kind: Kind?, statistic: MetricTerm.Statistic?) throws {
        let term = try MetricExpression(parsing: text).numerator
        #expect(term.kind == kind)
        #expect(term.statistic == statistic)
        let bottom = try MetricExpression(parsing: "b/" + text).denominator
        #expect(bottom == term)
    }

    @Test(
        "is listed in every spelling",
        arguments: [
            (nil, ["hits"]), (.string(""), ["hits"]), (.array([]), ["hits"]), (.string("a"), ["a"]),
            (.string("revenue, hits,revenue/hits"), ["revenue", "hits", "revenue/hits"]),
            (.path("a", "b", "a"), ["a", "b"]), (.nested(("dollars", .string("hits"))), ["dollars/hits"]),
            (.nested(("dollars", .number("200")), ("x", .null)), ["dollars/200", "x"]), (.number("5"), ["5"]),
        ] as [(JSONValue?, [String])])
    func lists(value: JSONValue?, texts: [String]) throws {
        #expect(try MetricExpression.list(value).map(\.name.text) == texts)
    }

    @Test(
        "is not listed from other values",
        arguments: [
            .bool(true), .array([.path("a")]), .nested(("a", .path("b"))), .array([.null]),
            .array((0..<65).map { .string("m\($0)") }),
        ] as [JSONValue])
    func notListed(value: JSONValue) {
        #expect(code { _ = try MetricExpression.list(value) } == .badMetric)
    }
}
