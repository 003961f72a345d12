import HailCore
import HailQuery
import Testing

@Suite("Path list")
struct PathListTests {
    private static let deep = JSONValue.array((0..<9).map { .number("\($0)") })

    @Test(
        "reads every spelling of paths",
        arguments: [
            (nil, [[]]), (.null, [[]]), (.string(""), [[]]), (.string("_"), [[]]), (.array([]), [[]]),
            (.path("_"), [[]]), (.object([]), [[]]), (.array([.path("_"), .path("country")]), [[], ["country"]]),
            (.string("country"), [["country"]]), (.number("5"), [["5"]]), (.bool(true), [["true"]]),
            (.path("country", "US"), [["country", "US"]]), (.array([.string("a"), .number("1.50")]), [["a", "1.50"]]),
            (.array([.path("a"), .path("b", "c"), .path("a")]), [["a"], ["b", "c"]]),
            (.nested(("geo", .nested(("US", .string("CA"))))), [["geo", "US", "CA"]]),
            (
                .nested(("a", .number("5")), ("b", .nested(("x", .number("1")), ("y", .number("2"))))),
                [["a", "5"], ["b", "x", "1"], ["b", "y", "2"]]
            ),
            (.nested(("geo", .null), ("beta", .object([]))), [["geo"], ["beta"]]),
            (.nested(("geo", .path("US", "CA"))), [["geo", "US", "CA"]]),
            (.nested(("geo", .array([.path("US"), .path("FR")]))), [["geo", "US"], ["geo", "FR"]]),
            (.string("a,b"), [["a,b"]]), (.path("country", "__other__"), [["country", "__other__"]]),
            (.path("country×plan", "US", "pro"), [["country×plan", "US", "pro"]]),
        ] as [(JSONValue?, [[String]])])
    func spellings(value: JSONValue?, paths: [[String]]) throws {
        #expect(try PathList(value, parameter: "dimensions", depth: 8).paths == paths)
    }

    @Test(
        "refuses what is no path, naming the parameter",
        arguments: [
            .path("a", ""), .path("a", "_"), .path("a", "b\u{0}"), .string("a\n"), .string("a\u{7F}"),
            .string(String(repeating: "x", count: 257)), deep,
            .array([.string("a"), .null]), .nested(("a", .path("b", "_"))), .nested(("", .string("x"))),
            .array((0..<33).map { .path("\($0)") }), .nested(("a", .nested(("", .null)))),
        ] as [JSONValue])
    func refused(value: JSONValue) {
        do {
            _ = try PathList(value, parameter: "dimensions", depth: 8)
            Issue.record("\(value) was taken")
        } catch {
            #expect(error.code == .badPath)
            #expect(error.parameter == "dimensions")
        }
    }

    @Test("refuses deep nesting without following it to its end", arguments: [true, false])
    func nesting(ofLists: Bool) {
        var value = JSONValue.path("a")
        for _ in 0..<2_000 { value = ofLists ? .array([value]) : .nested(("a", value)) }
        #expect(code { _ = try PathList(value, parameter: "pk", depth: 16) } == .badPath)
    }
}
