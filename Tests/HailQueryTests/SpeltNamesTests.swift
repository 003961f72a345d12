import HailCore
import HailQuery
import HailSeal
import Testing

/// Two spellings that Unicode calls equal are two names.
///
/// One is the letter `é`, the other an `e` and an accent of its own.
@Suite("Names spelt in two ways")
struct SpeltNamesTests {
    private static let one = "\u{E9}"
    private static let two = "e\u{301}"
    private static let now = PeriodTests.now

    private func store(seed: UInt64 = 1) throws -> FakeStore {
        FakeStore(ladder: try Ladder(parsing: Ladder.standardText), seed: seed)
    }

    /// Counts `one` three times, `two` twice, and `z` once, below the dimension `t`.
    private func nestedStore(seed: UInt64) throws -> FakeStore {
        var store = try store(seed: seed)
        for (name, hits) in [(Self.one, "3"), (Self.two, "2"), ("z", "1")] {
            try store.count(pk: .string("d"), dimensions: .path("t", name), metrics: [("hits", hits)], at: Self.now)
        }
        return store
    }

    private func plotted(_ store: FakeStore, _ more: [String: JSONValue]) throws -> [String] {
        let question: [String: JSONValue] = [
            "pk": .string("d"), "dimensions": .string("t"), "period": .string("1h:1h"), "depth": .number("1"),
        ]
        let answer = try store.plotpoints(question.merging(more) { $1 }, now: Self.now)
        return members(of: answer).map { "\(ascii($0.name)) \(($0.value["hits"]?.pointValues ?? []).joined())" }
    }

    private func members(of value: JSONValue?) -> [JSONValue.Member] {
        if case .object(let members) = value { members } else { [] }
    }

    /// A text that differs wherever its bytes do.
    private func ascii(_ text: String) -> String {
        text.unicodeScalars.map { $0.isASCII ? String($0) : "<\(String($0.value, radix: 16))>" }.joined()
    }

    private func flat(_ value: JSONValue?) -> [String] {
        members(of: value).map { member in
            if case .number(let text) = member.value { return "\(ascii(member.name)) \(text)" }
            if case .array(let items) = member.value, case .string(let text) = items.first {
                return "\(ascii(member.name)) \(text)"
            }
            return "\(ascii(member.name)) {\(flat(member.value).joined(separator: ", "))}"
        }
    }

    @Test("are two children with their own values", arguments: [UInt64(1), 2, 3, 4])
    func children(seed: UInt64) throws {
        let store = try nestedStore(seed: seed)
        let (one, two, other) = (#"["t", "\u00e9"]"#, #"["t", "e\u0301"]"#, #"["t", "__other__"]"#)
        #expect(try plotted(store, [:]) == ["t 6", "\(one) 3", "\(two) 2", #"["t", "z"] 1"#])
        #expect(try plotted(store, ["limit": .number("2")]) == ["t 6", "\(one) 3"])
        #expect(
            try plotted(store, ["limit": .number("3"), "sort": .string("hits")])
                == ["t 6", #"["t", "z"] 1"#, "\(two) 2"])
        #expect(try plotted(store, ["threshold": .number("0.4")]) == ["t 6", "\(other) 3", "\(one) 3"])
        #expect(
            try store.answer(
                SubdimensionsQuery(
                    parameters: ["pk": .string("d"), "dimensions": .string("t")], digester: NameDigest.blake2b))
                == .array([two, #"["t", "z"]"#, one].map { .string($0) }))
    }

    @Test("are in the order of their bytes where their values are equal", arguments: UInt64(1)...8)
    func order(seed: UInt64) throws {
        var store = try store(seed: seed)
        for name in [Self.one, "z", Self.two] {
            try store.count(pk: .string("d"), dimensions: .path("t", name), metrics: [], at: Self.now)
        }
        #expect(
            try plotted(store, [:]) == ["t 3", #"["t", "e\u0301"] 1"#, #"["t", "z"] 1"#, #"["t", "\u00e9"] 1"#])
    }

    @Test("are two dimensions and two subjects of one question")
    func paths() throws {
        var store = try store()
        for (name, hits) in [(Self.one, "3"), (Self.two, "2")] {
            try store.count(pk: .string(name), dimensions: .string(name), metrics: [("hits", hits)], at: Self.now)
        }
        let both = JSONValue.array([.path(Self.one), .path(Self.two)])
        let answer = try store.totals(["pk": both, "dimensions": both, "periods": .string("all")], now: Self.now)
        #expect(
            flat(answer) == [
                "<e9> {all {<e9> {hits 3}, e<301> {hits 0}}}", "e<301> {all {<e9> {hits 0}, e<301> {hits 2}}}",
            ])
    }

    @Test("are two paths and two metrics of one write")
    func written() throws {
        let dimensions = try WrittenPaths(dimensions: .array([.path("t", Self.one), .path("t", Self.two)]))
        #expect(dimensions.counted.map { ascii($0.joined(separator: ">")) } == ["", "t><e9>", "t>e<301>"])
        let nested = try WrittenPaths(
            dimensions: .nested((Self.one, .string("x")), (Self.two, .null)))
        #expect(nested.full.map { ascii($0.joined(separator: ">")) } == ["<e9>>x", "e<301>"])
        let metrics = try WrittenMetrics(.nested((Self.one, .number("3")), (Self.two, .number("2"))))
        #expect(metrics.items.map(\.value) == ["3", "2"])
        #expect(code { _ = try WrittenMetrics(.path(Self.two, Self.two)) } == .badMetric)
    }

    @Test("are two metrics of one question", arguments: [UInt64(1), 2, 3])
    func metrics(seed: UInt64) throws {
        var store = try store(seed: seed)
        try store.count(
            pk: .string("d"), dimensions: nil, metrics: [(Self.one, "6"), (Self.two, "2")], at: Self.now)
        let answer = try store.totals(
            [
                "pk": .string("d"), "periods": .string("all"),
                "metrics": .string("\(Self.one),\(Self.two),\(Self.one)/\(Self.two),\(Self.two)/\(Self.one)"),
            ], now: Self.now)
        #expect(flat(answer["all"]?["_"]) == ["<e9> 6", "e<301> 2", "<e9>/e<301> 3", "e<301>/<e9> 0.3333333333333333"])
        let known = try store.answer(MetricsOfQuery(parameters: ["pk": .string("d")], digester: NameDigest.blake2b))
        #expect(flat(known) == ["e<301> counter", "hits counter", "<e9> counter"])
    }

    @Test("are sorted by each on its own", arguments: [UInt64(1), 2, 3])
    func sorting(seed: UInt64) throws {
        var store = try store(seed: seed)
        for (name, one, two) in [("a", "1", "5"), ("b", "9", "2")] {
            try store.count(
                pk: .string("d"), dimensions: .path("t", name), metrics: [(Self.one, one), (Self.two, two)],
                at: Self.now)
        }
        func names(_ sort: String) throws -> [String] {
            try store.plotpoints(
                [
                    "pk": .string("d"), "dimensions": .string("t"), "depth": .number("1"),
                    "period": .string("1h:1h"), "metrics": .string(Self.one), "sort": .string(sort),
                ], now: Self.now
            ).names
        }
        #expect(try names("-" + Self.one) == ["t", #"["t", "b"]"#, #"["t", "a"]"#])
        #expect(try names("-" + Self.two) == ["t", #"["t", "a"]"#, #"["t", "b"]"#])
    }

    @Test("may be metrics of different kinds", arguments: [UInt64(1), 2, 3])
    func kinds(seed: UInt64) throws {
        var store = try store(seed: seed)
        try store.count(pk: .string("d"), dimensions: nil, metrics: [(Self.one, "6")], at: Self.now)
        store.set("5", ["d"], [], Self.two, atMilliseconds: Self.now * 1_000)
        store.time(4, ["d"], [], Self.one, at: Self.now)
        let answer = try store.totals(
            [
                "pk": .string("d"), "periods": .string("all"),
                "metrics": .string("\(Self.one),\(Self.two),\(Self.one):max,\(Self.two):max"),
            ], now: Self.now)
        #expect(flat(answer["all"]?["_"]) == ["<e9> 6", "e<301> 5", "<e9>:max 4", "e<301>:max 0"])
    }

    @Test("keep an accent that stands behind a sign of the question")
    func signs() throws {
        let list = try MetricExpression.list(.string("a,\u{301}b/\u{301}c:last"))
        #expect(list.count == 2)
        #expect(list.last?.numerator.name == "\u{301}b")
        #expect(list.last?.denominator?.name == "\u{301}c")
        #expect(code { _ = try WrittenPaths(dimensions: .string("a×\u{301}b")) } == .badPath)
        #expect(code { _ = try WrittenMetrics(.string("a×\u{301}b")) } == .badMetric)
    }
}
