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
            .string(String(repeating: "x", count: 257)), deep, .array([.string("a"), .path("b")]),
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

@Suite("Written paths")
struct WrittenPathsTests {
    @Test("of an object nest are every prefix of every leaf, and the overall group")
    func acceptance8() throws {
        let value = JSONValue.nested(
            ("a", .number("5")), ("b", .nested(("x", .number("1")), ("y", .number("2")))))
        let paths = try WrittenPaths(dimensions: value)
        #expect(
            paths.counted == [
                [], ["a"], ["a", "5"], ["b"], ["b", "x"], ["b", "x", "1"], ["b", "y"], ["b", "y", "2"],
            ])
        #expect(paths.full == [["a", "5"], ["b", "x", "1"], ["b", "y", "2"]])
        let subject = try WrittenPaths(subject: .array([.string("Product"), .string("5")]))
        #expect(subject.counted == [["Product"], ["Product", "5"]])
        #expect(try WrittenPaths(subject: .nested(("Product", .number("5")))).counted == subject.counted)
    }

    @Test(
        "count each place once",
        arguments: [
            (nil, [[]], []), (.string("_"), [[]], []), (.string("beta"), [[], ["beta"]], [["beta"]]),
            (.path("a", "b"), [[], ["a"], ["a", "b"]], [["a", "b"]]),
            (.array([.path("a", "b"), .path("c", "d")]), [[], ["a", "b"], ["c", "d"]], [["a", "b"], ["c", "d"]]),
            (.array([.path("a", "b"), .path("a", "c")]), [[], ["a", "b"], ["a", "c"]], [["a", "b"], ["a", "c"]]),
            (.array([.path("a"), .path("a", "b")]), [[], ["a"], ["a", "b"]], [["a", "b"]]),
            (.array([.path("a")]), [[], ["a"]], [["a"]]),
            (
                .nested(("a", .array([.path("b"), .path("c")]))), [[], ["a"], ["a", "b"], ["a", "c"]],
                [["a", "b"], ["a", "c"]]
            ),
        ] as [(JSONValue?, [[String]], [[String]])])
    func places(value: JSONValue?, counted: [[String]], full: [[String]]) throws {
        let paths = try WrittenPaths(dimensions: value)
        #expect(paths.counted == counted)
        #expect(paths.full == full)
    }

    @Test("of a subject leave the overall one out unless it is all that is named")
    func subjects() throws {
        #expect(try WrittenPaths(subject: nil).counted == [[]])
        #expect(try WrittenPaths(subject: .string("test")).counted == [["test"]])
        #expect(try WrittenPaths(subject: .array([.path("_"), .path("a")])).counted == [[], ["a"]])
    }

    @Test(
        "refuse what only the agent writes",
        arguments: [.path("a", "__other__"), .string("a×b"), .string("__other__"), .path("a", "_")] as [JSONValue])
    func reserved(value: JSONValue) {
        #expect(code { _ = try WrittenPaths(dimensions: value) } == .badPath)
        #expect(code { _ = try WrittenPaths(subject: value) } == .badPath)
    }
}

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

@Suite("Dimension key")
struct DimensionKeyTests {
    @Test(
        "is written as HailWhale wrote it",
        arguments: [
            ([], "_"), (["country"], "country"), (["country", "US"], #"["country", "US"]"#),
            (["a", "x\"y\\z"], #"["a", "x\"y\\z"]"#), (["é"], "é"), (["é", "🐳"], #"["\u00e9", "\ud83d\udc33"]"#),
        ] as [([String], String)])
    func text(path: [String], text: String) {
        #expect(DimensionKey.text(path) == text)
    }
}
