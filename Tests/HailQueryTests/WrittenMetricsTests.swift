import HailCore
import HailQuery
import Testing

@Suite("Written metrics")
struct WrittenMetricsTests {
    @Test(
        "are names with numbers, or names that count 1",
        arguments: [
            (nil, []), (.null, []), (.string(""), []), (.string("views"), [.init("views", "1")]),
            (.path("a", "b"), [.init("a", "1"), .init("b", "1")]),
            (
                .nested(("dollars", .number("12.5")), ("b", .string("-3e2"))),
                [.init("dollars", "12.5"), .init("b", "-3e2")]
            ),
            (.string("a,b"), [.init("a,b", "1")]),
        ] as [(JSONValue?, [WrittenMetrics.Item])])
    func spellings(value: JSONValue?, items: [WrittenMetrics.Item]) throws {
        #expect(try WrittenMetrics(value).items == items)
    }

    @Test(
        "refuse what is neither",
        arguments: [
            .nested(("a", .string("x"))), .nested(("a", .null)), .nested(("a", .bool(true))),
            .nested(("a", .path("1"))),
            .nested(("a", .string("NaN"))), .nested(("a", .string("1e"))), .nested(("a", .string("."))),
            .nested(("a", .string("0x10"))), .nested(("a", .string(" 1"))), .nested(("", .number("1"))),
            .path("a", "a"), .path(""), .path("_"), .path("__other__"), .path("a×b"), .array([.path("a")]),
            .path("a\u{1}"), .array((0..<65).map { .string("m\($0)") }), .string(String(repeating: "m", count: 257)),
        ] as [JSONValue])
    func refused(value: JSONValue) {
        #expect(code { _ = try WrittenMetrics(value) } == .badMetric)
    }
}
