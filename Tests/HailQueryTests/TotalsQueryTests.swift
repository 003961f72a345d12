import HailCore
import HailQuery
import HailSeal
import Testing

@Suite("Totals")
struct TotalsQueryTests {
    static let now = PeriodTests.now

    private func store(seed: UInt64 = 1) throws -> FakeStore {
        FakeStore(ladder: try Ladder(parsing: Ladder.standardText), seed: seed)
    }

    @Test("rise by 15 after three events of 5", arguments: [UInt64(1), 2, 3])
    func acceptance1(seed: UInt64) throws {
        var store = try store(seed: seed)
        let question: [String: JSONValue] = [
            "pk": .string("test"), "dimensions": .path("empty"), "metrics": .path("counting_now"),
        ]
        let before = try store.totals(question, now: Self.now)
        #expect(before["1m:1h"]?["empty"]?["counting_now"] == .number("0"))
        for _ in 0..<3 {
            try store.count(
                pk: .string("test"), dimensions: .path("empty"), metrics: [("counting_now", "5")], at: Self.now)
        }
        let after = try store.totals(question, now: Self.now)
        #expect(after.names == Period.defaultTexts)
        for period in Period.defaultTexts {
            #expect(after[period] == .nested(("empty", .nested(("counting_now", .number("15"))))))
        }
    }

    @Test("are those of the README: services, advertising and sales")
    func acceptance9() throws {
        var store = try store()
        let events: [(JSONValue, String)] = [
            (.string("services"), "200"), (.string("advertising"), "-2000"), (.path("sales", "whale"), "500"),
        ]
        for (dimensions, dollars) in events {
            try store.count(pk: nil, dimensions: dimensions, metrics: [("dollars", dollars)], at: Self.now - 5)
        }
        let answer = try store.totals(
            [
                "dimensions": .array([.path("_"), .path("sales"), .path("sales", "whale")]),
                "metrics": .string("dollars,hits,dollars/hits"), "periods": .string("all,1d:1mo"),
            ], now: Self.now)
        for period in ["all", "1d:1mo"] {
            let overall = answer[period]?["_"]
            #expect(overall?["dollars"] == .number("-1300"))
            #expect(overall?["hits"] == .number("3"))
            #expect(answer[period]?["sales"]?["dollars/hits"] == .number("500"))
            #expect(answer[period]?[#"["sales", "whale"]"#]?["hits"] == .number("1"))
        }
    }

    @Test("of several subjects are nested by subject")
    func severalSubjects() throws {
        var store = try store()
        try store.count(pk: .path("Product", "5"), dimensions: nil, metrics: [], at: Self.now)
        try store.count(pk: .path("Product", "6"), dimensions: nil, metrics: [], at: Self.now)
        let answer = try store.totals(
            ["pk": .array([.path("Product"), .path("Product", "5")]), "periods": .path("1m:1h")], now: Self.now)
        #expect(answer.names == ["Product", #"["Product", "5"]"#])
        #expect(answer["Product"]?["1m:1h"]?["_"]?["hits"] == .number("2"))
        #expect(answer[#"["Product", "5"]"#]?["1m:1h"]?["_"]?["hits"] == .number("1"))
    }

    @Test("take a word for a constant unless a metric of that name is stored")
    func constants() throws {
        var store = try store()
        try store.count(pk: .string("a"), dimensions: nil, metrics: [("dollars", "300")], at: Self.now)
        let question: [String: JSONValue] = [
            "pk": .string("a"), "periods": .string("1d:3d"),
            "metrics": .path("dollars/days", "dollars/=days", "dollars/200", "dollars/_count", "days"),
        ]
        let constants = try store.totals(question, now: Self.now)["1d:3d"]?["_"]
        #expect(
            constants
                == .nested(
                    ("dollars/days", .number("100")), ("dollars/=days", .number("100")),
                    ("dollars/200", .number("1.5")),
                    ("dollars/_count", .number("100")), ("days", .number("3"))))
        // Long before the period asked for: its name alone says that it is stored.
        try store.count(
            pk: .string("a"), dimensions: nil, metrics: [("days", "7"), ("200", "3")], at: Self.now - 40 * 86_400)
        let stored = try store.totals(question, now: Self.now)["1d:3d"]?["_"]
        #expect(stored?["days"] == .number("0"))
        #expect(stored?["dollars/days"] == .number("0"))
        #expect(stored?["dollars/200"] == .number("0"))
        #expect(stored?["dollars/=days"] == .number("100"))
    }

    @Test("say what is older than kept")
    func truncated() throws {
        let answer = try store().totals(["periods": .string("1h:60d,1m:1h")], now: Self.now)
        #expect(answer["truncated_before"]?.names == ["1h:60d"])
        #expect(answer["1h:60d"]?["_"]?["hits"] == .number("0"))
        #expect(try store().totals([:], now: Self.now)["truncated_before"] == nil)
        let defaults = try store().totals(["tz": .string("-0500")], now: Self.now)
        #expect(defaults["truncated_before"]?.names == ["1d:1y"])
    }

    @Test(
        "refuse bad parameters by name",
        arguments: [
            (["periods": .string("1m:1h,nope")], QueryError.Code.badPeriod, "periods"),
            (["periods": .number("5")], .badPeriod, "periods"), (["tz": .string("Nowhere")], .badZone, "tz"),
            (["tz": .path("a")], .badZone, "tz"), (["pk": .path("a", "")], .badPath, "pk"),
            (["dimensions": .path("a", "_")], .badPath, "dimensions"),
            (["metrics": .string("a/b/c")], .badMetric, "metrics"),
            (["metrics": .string("a:gauge:p50")], .badMetric, "metrics"),
            (["metrics": .string("a:p50"), "periods": .string("1m:1h")], .noSketch, "periods"),
            (["metrics": .string("b/a:set")], .noSketch, "periods"),
            (["periods": .string("1d:1y"), "tz": .string("+0100")], .zoneNotKept, "tz"),
            (["periods": .array((0..<33).map { .string("\($0 + 1)m:1h") })], .tooCostly, "periods"),
        ] as [([String: JSONValue], QueryError.Code, String)])
    func refused(parameters: [String: JSONValue], code: QueryError.Code, parameter: String) throws {
        do {
            _ = try store().totals(parameters, now: Self.now)
            Issue.record("taken")
        } catch let error as QueryError {
            #expect(error.code == code)
            #expect(error.parameter == parameter)
        }
    }
}
