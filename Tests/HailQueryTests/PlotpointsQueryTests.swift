import HailCore
import HailQuery
import HailSeal
import Testing

@Suite("Plotpoints")
struct PlotpointsQueryTests {
    static let now = PeriodTests.now

    private func store(seed: UInt64 = 1) throws -> FakeStore {
        FakeStore(ladder: try Ladder(parsing: Ladder.standardText), seed: seed)
    }

    @Test("end with the minute now running", arguments: [UInt64(1), 2, 3])
    func acceptance3(seed: UInt64) throws {
        var store = try store(seed: seed)
        for _ in 0..<5 {
            try store.count(
                pk: .string("test"), dimensions: .string("t"), metrics: [("hits", "1"), ("values", "5")], at: Self.now)
        }
        let answer = try store.plotpoints(
            [
                "pk": .string("test"), "dimensions": .string("t"), "period": .string("1m:1h"),
                "metrics": .path("hits", "values", "values/hits"),
            ], now: Self.now)
        #expect(answer.names == ["t"])
        for (metric, value) in [("hits", "5"), ("values", "25"), ("values/hits", "5")] {
            let points = try #require(answer["t"]?[metric])
            #expect(points.pointValues == [String](repeating: "0", count: 59) + [value])
            guard case .array(let list) = points, case .array(let last) = list[59] else { continue }
            #expect(last[0] == .number(String(Self.now.floorDivided(by: 60) * 60_000)))
        }
    }

    private func nestedStore(seed: UInt64) throws -> FakeStore {
        var store = try store(seed: seed)
        let events: [JSONValue] = [
            .nested(("t", .string("a"))), .nested(("t", .string("b"))), .nested(("t", .string("b"))),
            .nested(("t", .nested(("c", .string("child"))))),
        ]
        for event in events { try store.count(pk: .string("d"), dimensions: event, metrics: [], at: Self.now) }
        return store
    }

    private func lastHits(_ answer: JSONValue) -> [String: String] {
        var last: [String: String] = [:]
        for name in answer.names { last[name] = answer[name]?["hits"]?.pointValues.last }
        return last
    }

    @Test("go as deep as asked", arguments: [UInt64(1), 2, 3, 4])
    func acceptance4(seed: UInt64) throws {
        let store = try nestedStore(seed: seed)
        func answer(_ more: [String: JSONValue]) throws -> JSONValue {
            let question: [String: JSONValue] = [
                "pk": .string("d"), "dimensions": .string("t"), "period": .string("hour"),
            ]
            return try store.plotpoints(question.merging(more) { $1 }, now: Self.now)
        }
        let (a, b, c, child) = (#"["t", "a"]"#, #"["t", "b"]"#, #"["t", "c"]"#, #"["t", "c", "child"]"#)
        #expect(lastHits(try answer([:])) == ["t": "4"])
        #expect(lastHits(try answer(["depth": .number("1")])) == ["t": "4", a: "1", b: "2", c: "1"])
        #expect(lastHits(try answer(["depth": .number("2")])) == ["t": "4", a: "1", b: "2", c: "1", child: "1"])
        #expect(try answer(["depth": .string("1"), "limit": .string("2")]).names == ["t", b])
        #expect(try answer(["depth": .number("1"), "limit": .number("2"), "sort": .string("hits")]).names == ["t", a])
        #expect(try answer(["depth": .number("1")]).names == ["t", b, a, c])
        #expect(
            lastHits(try answer(["depth": .number("2"), "threshold": .number("0.3")])) == [
                "t": "4", b: "2", #"["t", "__other__"]"#: "2",
            ])
        #expect(try answer(["dimensions": .null, "depth": .number("1")]).names == ["_", "t"])
    }

    @Test("fold children by the denominator of a ratio, and sum before dividing")
    func ratioThreshold() throws {
        var store = try store()
        for (child, hits, dollars) in [("a", "90", "90"), ("b", "6", "60"), ("c", "4", "10")] {
            try store.count(
                pk: nil, dimensions: .path("t", child), metrics: [("hits", hits), ("dollars", dollars)], at: Self.now)
        }
        let answer = try store.plotpoints(
            [
                "dimensions": .string("t"), "period": .string("1h:1h"), "depth": .number("1"),
                "threshold": .number("0.1"), "metrics": .nested(("dollars", .string("hits"))),
            ], now: Self.now)
        #expect(answer.names == ["t", #"["t", "__other__"]"#, #"["t", "a"]"#])
        #expect(answer[#"["t", "__other__"]"#]?["dollars/hits"]?.pointValues == ["7"])
    }

    @Test("accumulate, carry forward, total and turn round as asked")
    func shapes() throws {
        var store = try store()
        for (minutes, value) in [(Int64(3), "2"), (1, "5")] {
            try store.count(pk: nil, dimensions: nil, metrics: [("m", value)], at: Self.now - minutes * 60)
        }
        func points(_ metric: String, _ more: [String: JSONValue] = [:]) throws -> [String]? {
            let question: [String: JSONValue] = ["period": .string("1m:5m"), "metrics": .array([.string(metric)])]
            return try store.plotpoints(question.merging(more) { $1 }, now: Self.now)["_"]?[metric]?.pointValues
        }
        #expect(try points("m") == ["0", "2", "0", "5", "0"])
        #expect(try points("m:+") == ["0", "2", "2", "7", "7"])
        #expect(try points("m:last") == ["0", "2", "2", "5", "5"])
        #expect(try points("m/hits") == ["0", "2", "0", "5", "0"])
        #expect(try points("m/minutes") == ["0", "2", "0", "5", "0"])
        #expect(try points("m/hours") == ["0", "120", "0", "300", "0"])
        #expect(try points("m", ["with_totals": .bool(true)]) == ["0", "2", "0", "5", "0", "7"])
        #expect(try points("m/hits", ["with_totals": .bool(true)])?.last == "3.5")
        #expect(try points("m:last", ["with_totals": .string("1")])?.last == "5")
        #expect(try points("m", ["descending": .string("true")]) == ["0", "5", "0", "2", "0"])
        #expect(try points("m/_days_in_month", ["period": .string("1mo:1mo")]) == ["0.25"])
    }

    @Test(
        "refuse bad parameters by name",
        arguments: [
            (["period": .path("1m:1h")], QueryError.Code.badPeriod, "period"),
            (["depth": .string("x")], .badValue, "depth"),
            (["depth": .number("9")], .badValue, "depth"), (["depth": .number("1.5")], .badValue, "depth"),
            (["limit": .number("-1")], .badValue, "limit"), (["threshold": .number("1.1")], .badValue, "threshold"),
            (["threshold": .string("nan")], .badValue, "threshold"), (["sort": .path("a")], .badValue, "sort"),
            (["sort": .string("-a/b/c")], .badMetric, "sort"),
            (["with_totals": .string("maybe")], .badValue, "with_totals"),
            (["descending": .path("a")], .badValue, "descending"),
        ] as [([String: JSONValue], QueryError.Code, String)])
    func refused(parameters: [String: JSONValue], code: QueryError.Code, parameter: String) throws {
        do {
            _ = try store().plotpoints(parameters, now: Self.now)
            Issue.record("taken")
        } catch let error as QueryError {
            #expect(error.code == code)
            #expect(error.parameter == parameter)
        }
    }

    @Test("cost no more than their bound")
    func tooCostly() throws {
        let metrics = JSONValue.array((0..<64).map { .string("m\($0)") })
        let dimensions = JSONValue.array((0..<32).map { .path("d\($0)") })
        let many: [String: JSONValue] = ["metrics": metrics, "dimensions": dimensions]
        #expect(
            code { _ = try store().plotpoints(many.merging(["period": .string("1m:1d")]) { $1 }, now: Self.now) }
                == .tooCostly)
        let names: [String: JSONValue] = [
            "pk": .array((0..<32).map { .path("p\($0)") }), "depth": .number("1"), "period": .string("10s:10m"),
        ]
        #expect(try store().plotpoints(names, now: Self.now).names.count == 32)
        let fine = try Ladder(parsing: "10s:1y")
        #expect(
            code {
                _ = try TotalsQuery(
                    parameters: ["periods": .string("1d:1y")], now: Self.now, history: LadderHistory(fine),
                    digester: NameDigest.blake2b
                )
            } == .tooCostly)
    }
}
