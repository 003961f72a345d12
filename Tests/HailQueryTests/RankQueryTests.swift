import HailCore
import HailQuery
import HailSeal
import Testing

@Suite("Rankings")
struct RankQueryTests {
    private static let now = PeriodTests.now

    private func store(
        _ events: [([String], [(String, String)])], seed: UInt64 = 1
    ) throws -> FakeStore {
        var store = FakeStore(ladder: try Ladder(parsing: Ladder.standardText), seed: seed)
        for (path, metrics) in events {
            try store.count(
                pk: .string("r"), dimensions: .array(path.map { .string($0) }), metrics: metrics, at: Self.now)
        }
        return store
    }

    private func rank(_ store: FakeStore, _ more: [String: JSONValue]) throws -> JSONValue {
        try store.rank(more.merging(["pk": .string("r")]) { own, _ in own }, now: Self.now)
    }

    private func important(_ ranking: JSONValue) -> [String] {
        ranking.names.filter { ranking[$0]?["important"] == .bool(true) }
    }

    private static func key(_ parts: String...) -> String { DimensionKey.text(parts) }

    @Test("name what matters of a sum", arguments: [UInt64(1), 2, 3])
    func acceptance5(seed: UInt64) throws {
        let store = try store(
            [
                (["a", "asub1"], [("value", "1")]), (["a", "asub2"], [("value", "30")]), (["b"], [("value", "80")]),
                (["c"], [("value", "10")]),
            ], seed: seed)
        let ranking = try rank(store, ["metrics": .string("value")])
        #expect(important(ranking) == ["b", Self.key("a", "asub2")])
        #expect(ranking["a"]?["effect"] == .number("1"))
        #expect(ranking["b"]?["score"] == .number("80"))
    }

    @Test("name what matters of a ratio", arguments: [UInt64(1), 2, 3])
    func acceptance6(seed: UInt64) throws {
        let store = try store(
            [
                (["a", "asub1"], [("value", "54989"), ("visitors", "4999")]),
                (["a", "asub2"], [("value", "375000"), ("visitors", "25000")]),
                (["b"], [("value", "100000"), ("visitors", "20000")]), (["c"], [("value", "5"), ("visitors", "1")]),
            ], seed: seed)
        let ranking = try rank(store, ["metrics": .string("value/visitors")])
        #expect(important(ranking) == ["b", Self.key("a", "asub2")])
        #expect(ranking["c"]?["count"] == .number("1"))
        #expect(ranking[Self.key("a", "asub2")]?["effect"] == .number("110003"))
        #expect(
            important(try rank(store, ["metrics": .string("value/visitors"), "prune_parents": .bool(false)])).count == 3
        )
    }

    @Test("see through a parent that is explained by a grandchild alone")
    func grandchildren() throws {
        let store = try store([
            (["a", "b", "c"], [("v", "90")]), (["a", "b", "d"], [("v", "2")]), (["a", "e"], [("v", "3")]),
            (["f"], [("v", "5")]),
        ])
        #expect(important(try rank(store, ["metrics": .string("v")])) == [Self.key("a", "b", "c")])
        let flat = try rank(store, ["metrics": .string("v"), "recursive": .bool(false)])
        #expect(flat.names == ["a", "f"])
        #expect(important(flat) == ["a"])
        let below = try rank(store, ["metrics": .string("v"), "dimensions": .path("a", "b")])
        #expect(Set(below.names) == [Self.key("a", "b", "c"), Self.key("a", "b", "d")])
    }

    @Test("go by magnitude: what was lost matters as what was won")
    func negative() throws {
        let store = try store([
            (["services"], [("dollars", "200")]), (["advertising"], [("dollars", "-2000")]),
            (["sales"], [("dollars", "500")]), (["gifts"], [("dollars", "-9")]),
        ])
        let ranking = try rank(store, ["metrics": .string("dollars")])
        #expect(important(ranking) == ["advertising", "sales", "services"])
        #expect(ranking["gifts"]?["important"] == .bool(false))
    }

    @Test(
        "need more than ten of a total and more than five of a rate",
        arguments: [("10", "5", false), ("10.5", "6", true)])
    func leastCounts(total: String, count: String, isImportant: Bool) throws {
        let store = try store([
            (["a"], [("v", total), ("n", "1")]), (["b"], [("v", "0"), ("w", "100"), ("n", count)]),
            (["c"], [("v", "0"), ("n", "100")]),
        ])
        let bySum = try rank(store, ["metrics": .string("v")])
        #expect((bySum["a"]?["important"] == .bool(true)) == isImportant)
        let byRate = try rank(store, ["metrics": .string("w/n")])
        #expect((byRate["b"]?["important"] == .bool(true)) == isImportant)
    }

    @Test("take a timer's mean for a rate, counted by its values")
    func timers() throws {
        var store = try store([])
        for (child, value, times) in [("slow", 300.0, 6), ("quick", 100, 60), ("few", 900, 5)] {
            for _ in 0..<times {
                for group in [[], ["t"], ["t", child]] { store.time(value, ["r"], group, "latency", at: Self.now) }
            }
        }
        let ranking = try rank(store, ["metrics": .string("latency"), "dimensions": .string("t")])
        #expect(important(ranking) == [Self.key("t", "quick"), Self.key("t", "slow")])
        #expect(ranking[Self.key("t", "few")]?["count"] == .number("5"))
    }

    @Test("refuse more than one metric")
    func refusals() throws {
        let store = try store([])
        #expect(code { _ = try rank(store, ["metrics": .string("a,b")]) } == .badMetric)
        #expect(code { _ = try rank(store, ["recursive": .string("perhaps")]) } == .badValue)
        #expect(try rank(store, [:]) == .object([]))
    }
}
