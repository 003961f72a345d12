import HailCore
import Testing

@testable import HailStore

@Suite("Gauge cells in the store")
struct GaugeScriptTests {
    private let script: TestScript

    init() throws { script = try TestScript() }

    private func last(_ items: (String, Int64)...) -> BatchEntry {
        Sample.entry(.last, items, letter: StoreKey.Letter.gaugeStrip)
    }

    private func move(_ text: String, _ milliseconds: Int64) -> BatchEntry {
        Sample.entry(
            .move, [("0 " + text, milliseconds)], letter: StoreKey.Letter.gaugeStrip, width: 0, chunk: 0,
            expirySeconds: 0)
    }

    private func moved(_ offset: String, _ milliseconds: Int64, width: UInt32 = 60) -> BatchEntry {
        Sample.entry(.moved, [(offset, milliseconds)], letter: StoreKey.Letter.gaugeStrip, width: width)
    }

    @Test(
        "keep the newest of two values, whoever comes first; at one time the greater",
        arguments: [
            ("1", 1, "2", 2, "2 2"), ("9", 1, "-2.5", 2, "-2.5 2"), ("9", 1, "10", 1, "10 1"),
            ("-9", 1, "-10", 1, "-9 1"), ("1", 999_999_999_999, "2", 1_000_000_000_000, "2 1000000000000"),
            ("0.3", 5, "0.3", 5, "0.3 5"), ("1e3", 5, "999", 5, "1e3 5"), ("0", -5, "7", -6, "0 -5"),
            ("9000000000000.000001", 5, "9000000000000.000002", 5, "9000000000000.000002 5"),
        ])
    func newest(first: String, firstTime: Int64, second: String, secondTime: Int64, kept: String) throws {
        let one = last(("0 " + first, firstTime), ("1 7", 1))
        let other = last(("0 " + second, secondTime))
        #expect(try script.apply(one) == Sample.written(2))
        #expect(try script.apply(other, agent: Sample.otherAgent) == Sample.written(1))
        #expect(try script.text(one) == kept)
        #expect(try script.text(one, "1") == "7 1")

        _ = try script.run("DEL", one.key(shard: Sample.shard))
        try script.apply(other, agent: Sample.otherAgent)
        try script.apply(one)
        #expect(try script.text(one) == kept)
    }

    @Test(
        "that move add up what they are moved by, to millionths",
        arguments: [
            (["0.1", "0.2"], "0.3"), (["5", "-7.5"], "-2.5"), (["0.1", "-0.1"], "0"), (["1234567890.123456"], "same"),
            (["-8999999999.5", "0.25"], "-8999999999.25"), (["1e15", "1"], "1e+15 and one"), (["1e300"], "1e+300"),
            (Array(repeating: "0.1", count: 10), "1"), (["0.0000004"], "0"), (["10000000000", "0.1"], "10000000000.1"),
        ])
    func sums(deltas: [String], sum: String) throws {
        for (index, delta) in deltas.enumerated() {
            #expect(try script.apply(move(delta, Int64(index))) == Sample.written(1))
        }
        let expected = ["same": "1234567890.123456", "1e+15 and one": "1000000000000001"][sum] ?? sum
        #expect(try script.text(move("0", 0)) == "\(expected) \(deltas.count - 1)")
    }

    @Test("that move keep the later of two times")
    func laterTime() throws {
        try script.apply(move("5", 1_700_000_000_000))
        try script.apply(move("1", 1_600_000_000_000), agent: Sample.otherAgent)
        #expect(try script.text(move("0", 0)) == "6 1700000000000")
    }

    @Test("hand the result of a move to the buckets, each move to its own")
    func results() throws {
        let other = BatchEntry(
            letter: StoreKey.Letter.gaugeStrip, digest: Digest(high: 1, low: 1), widthSeconds: 0, chunk: 0, page: 0,
            expirySeconds: 0, operation: .move, items: [BatchEntry.Item(field: Array("0 100".utf8), value: 3)])
        var otherCell = moved("7", 3)
        otherCell.digest = other.digest
        #expect(
            try script.apply(move("2.5", 3), moved("7", 3), moved("8", 3, width: 3_600), other, otherCell)
                == Sample.written(5))
        #expect(try script.apply(move("-1", 4), moved("7", 4)) == Sample.written(2))
        #expect(try script.text(moved("7", 0), "7") == "1.5 4")
        #expect(try script.text(moved("8", 0, width: 3_600), "8") == "2.5 3")
        #expect(try script.text(otherCell, "7") == "100 3")
    }

    @Test(
        "end as the all-time cell does where two agents move them within a bucket, whoever comes first",
        arguments: 0..<2)
    func twoMovers(order: Int) throws {
        var moves = [(move("5", 1_000), moved("7", 1_000)), (move("-3", 900), moved("7", 900))]
        if order == 1 { moves.reverse() }
        try script.apply(moves[0].0, moves[0].1)
        try script.apply(moves[1].0, moves[1].1, agent: Sample.otherAgent)
        #expect(try script.text(move("0", 0)) == "2 1000")
        #expect(try script.text(moved("7", 0), "7") == "2 1000")
    }

    @Test("of another bucket stay as they are when an older move comes")
    func olderMove() throws {
        try script.apply(last(("7 4", 2_000)))
        try script.apply(move("5", 1_000), moved("7", 1_000))
        #expect(try script.text(moved("7", 0), "7") == "4 2000")
    }

    @Test("move on from a value that was set")
    func setThenMoved() throws {
        let set = Sample.entry(
            .last, [("0 10", 50)], letter: StoreKey.Letter.gaugeStrip, width: 0, chunk: 0, expirySeconds: 0)
        try script.apply(set)
        try script.apply(move("-0.5", 60), moved("7", 60))
        #expect(try script.text(set) == "9.5 60")
        #expect(try script.text(moved("7", 0), "7") == "9.5 60")
    }

    @Test("that cannot be moved leave their buckets alone, and every one is told of")
    func deadMoves() throws {
        try script.apply(move("1e308", 1))
        #expect(try script.apply(move("1e308", 2), moved("7", 2)) == Sample.written(0, dead: [.overflow: 2]))
        _ = try script.run("HSET", move("0", 0).key(shard: Sample.shard), "0", "12")
        #expect(try script.apply(move("1", 3), moved("7", 3)) == Sample.written(0, dead: [.notInteger: 2]))
        #expect(try script.run("EXISTS", moved("7", 0).key(shard: Sample.shard)) == .integer(0))
    }

    @Test("apply in a conditional group once")
    func conditional() throws {
        let condition = BatchGroup.Condition(onceID: Digest(high: 3, low: 4), keptSeconds: 100)
        #expect(try script.apply(move("1", 1), moved("7", 1), condition: condition) == Sample.written(2))
        #expect(
            try script.apply(move("1", 1), moved("7", 1), agent: Sample.otherAgent, condition: condition)
                == Sample.written(0, used: [0]))
        #expect(try script.text(move("0", 0)) == "1 1")
    }
}
