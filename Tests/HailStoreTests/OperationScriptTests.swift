import HailCore
import Testing

@testable import HailStore

@Suite("Operations of the flush script")
struct OperationScriptTests {
    private let script: TestScript

    init() throws { script = try TestScript() }

    /// Two items for each operation, but one for a move.
    private static let examples: [(BatchEntry.Operation, [(String, Int64)])] = [
        (.add, [("1", 5), ("2", -6)]), (.addFloat, [("1 0.5", 0), ("2 -1e-3", 0)]), (.least, [("1", 5), ("2", -6)]),
        (.greatest, [("1", 5), ("2", -6)]), (.last, [("1 0.5", 5), ("2 7", 6)]), (.move, [("0 0.5", 5)]),
        (.distinct, [("member 1", 0), ("member 2", 0)]), (.name, [("gcountry", 0), ("mchits", 0)]),
        (.child, [("a", 0), ("b", 0)]),
    ]

    private static func entry(_ example: (BatchEntry.Operation, [(String, Int64)])) -> BatchEntry {
        Sample.entry(
            example.0, example.1, letter: example.0 == .distinct ? StoreKey.Letter.members : StoreKey.Letter.page,
            expirySeconds: example.0 == .move ? 0 : Sample.expirySeconds)
    }

    @Test("an example of every operation is here, but of the one that stands behind a move")
    func complete() {
        let shown = OperationScriptTests.examples.map(\.0)
        #expect(BatchEntry.Operation.allCases.filter { !shown.contains($0) } == [.moved])
    }

    @Test("each writes its items and dates the key that it made", arguments: examples.indices)
    func expiry(index: Int) throws {
        let entry = OperationScriptTests.entry(OperationScriptTests.examples[index])
        let key = entry.key(shard: Sample.shard)
        #expect(try script.apply(entry) == Sample.written(entry.items.count))
        let expected = entry.expirySeconds == 0 ? -1 : Int64(entry.expirySeconds)
        #expect(try script.run("EXPIRETIME", key) == .integer(expected))
        // A key that is seen to be there already is not dated again; what is added up may look new by chance.
        guard entry.operation != .add, entry.operation != .addFloat else { return }
        _ = try script.run("PERSIST", key)
        try script.apply(entry)
        #expect(try script.run("EXPIRETIME", key) == .integer(-1))
    }

    @Test("a moved cell's key is dated too")
    func movedExpiry() throws {
        let move = OperationScriptTests.entry((.move, [("0 1", 5)]))
        let moved = Sample.entry(.moved, [("7", 5), ("8", 5)], letter: StoreKey.Letter.gaugeStrip)
        #expect(try script.apply(move, moved) == Sample.written(3))
        let expiry = try script.run("EXPIRETIME", moved.key(shard: Sample.shard))
        #expect(expiry == .integer(Int64(Sample.expirySeconds)))
    }

    @Test("each leaves alone what is past its expiry", arguments: examples.indices)
    func expired(index: Int) throws {
        let example = OperationScriptTests.examples[index]
        guard example.0 != .move else { return }
        var entry = OperationScriptTests.entry(example)
        entry.expirySeconds = 1_000
        #expect(try script.apply(entry) == Sample.written(0, expired: 2))
        #expect(try script.keys().isEmpty)
    }

    @Test("each sets aside what meets another type, and the rest goes on", arguments: examples.indices)
    func wrongType(index: Int) throws {
        let entry = OperationScriptTests.entry(OperationScriptTests.examples[index])
        let key = entry.key(shard: Sample.shard)
        _ = try script.run("SET", key, "text")
        let count = entry.items.count
        #expect(try script.apply(entry, Sample.entry([7])) == Sample.written(1, dead: [.wrongType: count]))
        #expect(try script.run("GET", key).text == "text")
        #expect(try script.text(Sample.entry([7])) == "7")
        let letters = try script.run("LRANGE", StoreKey.deadLetters(shard: Sample.shard), "0", "-1")
        guard case .array(let records) = letters else { throw StoreError.unexpectedReply(command: "LRANGE") }
        // REASON SECONDS KEY VALUE FIELD, newest first; the field is the rest, whatever it holds.
        let fields = records.reversed().compactMap { record in
            record.text.map { String($0.split(separator: " ", maxSplits: 4)[4]) }
        }
        #expect(fields == entry.items.map { String(decoding: $0.field, as: UTF8.self) })
    }

    @Test("a moved cell that meets another type is set aside alone")
    func movedWrongType() throws {
        let move = OperationScriptTests.entry((.move, [("0 1", 5)]))
        let moved = Sample.entry(.moved, [("7", 5)], letter: StoreKey.Letter.gaugeStrip)
        _ = try script.run("SET", moved.key(shard: Sample.shard), "text")
        #expect(try script.apply(move, moved) == Sample.written(1, dead: [.wrongType: 1]))
    }

    @Test(
        "each that computes sets aside what meets no number",
        arguments: [
            (BatchEntry.Operation.addFloat, "x"), (.least, "1.5"), (.greatest, "12 5"), (.greatest, ""),
            (.last, "1.5"), (.last, "x 5"), (.last, "1 2 3"), (.last, "1 5.5"), (.move, "0.5"),
        ])
    func noNumber(operation: BatchEntry.Operation, held: String) throws {
        let item = try #require(OperationScriptTests.examples.first { $0.0 == operation }?.1.first)
        let entry = OperationScriptTests.entry((operation, [item]))
        let field = item.0.split(separator: " ")[0]
        _ = try script.run("HSET", entry.key(shard: Sample.shard), String(field), held)
        #expect(try script.apply(entry) == Sample.written(0, dead: [.notInteger: 1]))
        #expect(try script.text(entry, String(field)) == held)
    }

    @Test("a batch of all of them applied in turn by two agents ends the same, whoever is first")
    func commutes() throws {
        let all = OperationScriptTests.examples.map(OperationScriptTests.entry)
        var other = all
        for (index, entry) in all.enumerated() {
            other[index].items = entry.items.map { item in
                BatchEntry.Item(field: item.field, value: entry.operation == .last ? item.value : item.value &* 3)
            }
            // One key for each operation.
            other[index].chunk = Int64(index)
        }
        let one = all.enumerated().map { index, entry in
            var entry = entry
            entry.chunk = Int64(index)
            return entry
        }
        func state() throws -> [[UInt8]: String] {
            var state: [[UInt8]: String] = [:]
            for key in try script.keys() { state[key] = "\(try script.run("TYPE", key)) \(try content(key))" }
            return state
        }
        try script.apply(one)
        try script.apply(other, agent: Sample.otherAgent)
        let first = try state()
        #expect(first.count == all.count)
        for key in try script.keys() { _ = try script.run("DEL", key) }
        try script.apply(other, agent: Sample.otherAgent)
        try script.apply(one)
        #expect(try state() == first)
    }

    private func content(_ key: [UInt8]) throws -> [String] {
        let type = try script.run("TYPE", key)
        let reply: StoreReply =
            switch type {
            case .status("hash"): try script.run("HGETALL", key)
            case .status("set"): try script.run("SMEMBERS", key)
            default: try script.run("ZRANGE", key, "0", "-1")
            }
        guard case .array(let items) = reply else { return [] }
        // Fields beside their values, in an order of their own.
        guard case .status("hash") = type else { return items.compactMap(\.text).sorted() }
        return stride(from: 0, to: items.count, by: 2).map {
            (items[$0].text ?? "") + "=" + (items[$0 + 1].text ?? "")
        }.sorted()
    }

    @Test(
        "items of the wrong shape are refused before anything is written",
        arguments: [
            "f|1|7|0", "f|1|7 x|0", "f|1|7 |0", "f|1| 7|0", "f|1|7 inf|0", "f|1|7 nan|0", "f|1|7 0x10|0",
            "f|1|7 1e999|0", "f|1|7 1-2|0", "<|1|7|1.5", "<|1|7|", ">|1|7|x", ">|1|7|1e3", "=|1|7|5", "=|1|7 1|x",
            "=|1|7 x|5", "=|1|7 1|1.5", "~|1|7 1|5", "~0|2|7 1|5|8 1|5", "~0|1|7|5", "~0|1|7 1|x", "~0|0", "m|1|7|5",
            "s|1|7|0", "s|1|123456789|0", "s|1|12345678|0", "?|1|7|1", "|1|7|1",
        ])
    func malformed(text: String) throws {
        let reply = try answer(text)
        guard case .broken(let reason) = reply, reason.hasPrefix("malformed") else {
            Issue.record("\(text) was answered with \(reply)")
            return
        }
        #expect(try script.store.run("DBSIZE") == .integer(0))
    }

    @Test(
        "items of the right shape are taken",
        arguments: [
            "f|1|7 1|0", "f|1|7 8 -1.5e-7|0", "<|1|7|-5", "=|1|7 +.5|-5", "=|2|7 1|5|8 2|6", "~0|1|7 1|5", "n|0",
        ])
    func wellFormed(text: String) throws {
        let reply = try answer(text)
        guard case .applied(let tally) = reply else {
            Issue.record("\(text) was answered with \(reply)")
            return
        }
        #expect(tally.deadByReason == [:])
    }

    /// What the script says to an entry of this operation, number of items and items, behind an ordinary one.
    private func answer(_ text: String) throws -> FlushReply {
        var words = text.split(separator: "|", omittingEmptySubsequences: false).map { String($0) }
        // What never expires is marked by a 0 behind the operation.
        let expiry = words[0].count == 2 ? "0" : "2208988800"
        words[0] = String(words[0].prefix(1))
        let head = ["1", "", "1", "1", "0", "0", "2", "3", "2208988800", "+", "1", "0", "1", "3", expiry]
        // For a set's members of the right length the four keys behind its own are missing.
        let keys = [Sample.guardKey, StoreKey.deadLetters(shard: Sample.shard), Sample.key]
        let arguments = (head + words).map { Array($0.utf8) }
        return FlushReply(try script.run([Array("EVALSHA".utf8), script.hash, Array("3".utf8)] + keys + arguments))
    }

    @Test("a moved cell must follow a move in its own group, and bring no decimal")
    func strayMoved() throws {
        let move = OperationScriptTests.entry((.move, [("0 1", 5)]))
        let moved = Sample.entry(.moved, [("7", 5)], letter: StoreKey.Letter.gaugeStrip)
        let decimal = Sample.entry(.moved, [("7 1", 5)], letter: StoreKey.Letter.gaugeStrip)
        var apart = Sample.batch(1, [move])
        apart.groups.append(BatchGroup(condition: nil, entries: [moved]))
        for batch in [Sample.batch(1, [moved, move]), Sample.batch(1, [move, decimal]), apart] {
            let command = FlushScript.command(for: batch, mode: .ordered, scriptHash: script.hash)
            var connection = try script.store.connector.connect()
            guard case .broken = FlushReply(try connection.send(command)) else {
                Issue.record("a moved cell without a move was taken")
                continue
            }
        }
        #expect(try script.keys().isEmpty)
    }
}
