import HailCore
import HailQuery
import HailSeal
import Testing

@Suite("Queries for names")
struct NameQueriesTests {
    private func store(seed: UInt64 = 1) throws -> FakeStore {
        FakeStore(ladder: try Ladder(parsing: Ladder.standardText), seed: seed)
    }

    private func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    @Test("list sub-dimensions, and all of them", arguments: [UInt64(1), 2, 3])
    func acceptance2(seed: UInt64) throws {
        var store = try store(seed: seed)
        try store.count(
            pk: .string("s"), dimensions: .nested(("a", .number("1")), ("b", .number("2"))), metrics: [], at: 0)
        func subdimensions(_ more: [String: JSONValue]) throws -> JSONValue {
            try store.answer(
                SubdimensionsQuery(
                    parameters: more.merging(["pk": .string("s")]) { left, _ in left }, digester: NameDigest.blake2b))
        }
        #expect(try subdimensions([:]) == list(["a", "b"]))
        #expect(
            try subdimensions(["recursive": .bool(true)]) == list(["a", #"["a", "1"]"#, "b", #"["b", "2"]"#]))
        #expect(try subdimensions(["dimensions": .string("b")]) == list([#"["b", "2"]"#]))
        #expect(try subdimensions(["pk": .string("unknown")]) == list([]))
    }

    @Test("list metrics with their kinds")
    func metrics() throws {
        var store = try store()
        try store.count(pk: .path("s"), dimensions: nil, metrics: [("dollars", "0")], at: 0)
        let query = try MetricsOfQuery(
            parameters: ["pk": .array([.path("s"), .path("t")])], digester: NameDigest.blake2b)
        #expect(
            try store.answer(query)
                == .nested(
                    ("s", .nested(("dollars", .path("counter")), ("hits", .path("counter")))), ("t", .object([]))))
    }

    @Test(
        "ask for subjects by their beginning",
        arguments: [
            (nil, ["-", "+"], []), (.string(""), ["-", "+"], []), (.string("Pro"), ["[Pro", "(Pro\u{FF}"], []),
            (.path("Product", "4"), ["[4", "(4\u{FF}"], ["Product"]), (.path("Product", ""), ["-", "+"], ["Product"]),
        ] as [(JSONValue?, [String], [String])])
    func subjects(prefix: JSONValue?, bounds: [String], parent: [String]) throws {
        let query = try SubjectsQuery(parameters: ["prefix": prefix ?? .null], digester: NameDigest.blake2b)
        let digest = NameDigest.blake2b(CellName.subjectBytes(parent))
        let key = StoreKey.named(letter: StoreKey.Letter.names, shard: Shard(subject: digest), digest: digest)
        // Latin-1 spells the byte 0xFF, which no UTF-8 text can.
        let latin = { (text: String) in text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }
        #expect(query.commands == [[latin("ZRANGEBYLEX"), key] + (bounds + ["LIMIT", "0", "10000"]).map(latin)])
        #expect(query.subjects == [parent])
        let answer = try query.answer([.array([.bytes(Array("42".utf8)), .null])])
        #expect(answer == list([DimensionKey.text(parent + ["42"])]))
    }

    @Test(
        "refuse bad prefixes",
        arguments: [
            .nested(("a", .null)), .array([.path("a"), .string("b")]), .array([.path("a")]), .path("", "b"),
            .string(String(repeating: "x", count: 257)), .array([.null]),
        ] as [JSONValue])
    func refused(prefix: JSONValue) {
        #expect(
            code { _ = try SubjectsQuery(parameters: ["prefix": prefix], digester: NameDigest.blake2b) } == .badPath)
    }

    @Test("refuse replies that are no names", arguments: [[], [.error("ERR")], [.integer(1)]] as [[ReadReply]])
    func unreadable(replies: [ReadReply]) throws {
        let subjects = try SubjectsQuery(parameters: [:], digester: NameDigest.blake2b)
        #expect(code { _ = try subjects.answer(replies) } == .storeUnreadable)
        let metrics = try MetricsOfQuery(parameters: [:], digester: NameDigest.blake2b)
        let padded = replies + [ReadReply](repeating: .array([]), count: max(0, 65 - replies.count))
        #expect(replies.isEmpty || code { _ = try metrics.answer(padded) } == .storeUnreadable)
    }
}
