import HailCore
import HailQuery
import Testing

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
