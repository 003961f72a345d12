import Glibc
import HailCore
import Testing

@testable import HailStore

@Suite("Set cells in the store")
struct SetScriptTests {
    private let script: TestScript

    init() throws { script = try TestScript() }

    private func entry(_ members: [[UInt8]], expirySeconds: UInt64 = Sample.expirySeconds) -> BatchEntry {
        BatchEntry(
            letter: StoreKey.Letter.members, digest: Sample.subject, widthSeconds: 60, chunk: 5, page: 0,
            expirySeconds: expirySeconds, operation: .distinct,
            items: members.map { BatchEntry.Item(field: $0, value: 0) })
    }

    private func members(_ count: Int, seed: UInt64) -> [[UInt8]] {
        var random = SeededRandom(seed)
        return (0..<count).map { _ in
            let bits = random.next()
            return (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) }
        }
    }

    /// How many members the store has of the cell, and whether it knows each.
    private func count() throws -> (members: Int, isExact: Bool) {
        let quarters = try entry([]).quarterKeys(shard: Sample.shard).map { key in
            let counted = try script.run("PFCOUNT", key).number
            return Int(try #require(counted))
        }
        let held = try script.run("SCARD", entry([]).key(shard: Sample.shard)).number
        let few = Int(try #require(held))
        #expect(few == 0 || quarters == [0, 0, 0, 0])
        return (few + quarters.reduce(0, +), few > 0)
    }

    private func ratio(_ counted: Int, to count: Int) -> Double { Double(counted) / Double(count) }

    @Test("are exact to a hundred members, in one batch or many", arguments: [1, 99, 100, 101, 5_000], [1, 7, 5_000])
    func sizes(size: Int, perEntry: Int) throws {
        let all = members(size, seed: UInt64(size))
        var rest = all[...]
        var entries: [BatchEntry] = []
        while !rest.isEmpty {
            entries.append(entry(Array(rest.prefix(perEntry))))
            rest = rest.dropFirst(perEntry)
        }
        #expect(try script.apply(entries) == Sample.written(size))
        let counted = try count()
        #expect(counted.isExact == (size <= SetCell.exactMembers))
        if counted.isExact { #expect(counted.members == size) }
        #expect(abs(ratio(counted.members, to: size) - 1) <= 0.01, "\(counted.members) of \(size)")
        // Once more, from another agent, in another order: nothing is new.
        #expect(try script.apply(entry(all.reversed()), agent: Sample.otherAgent) == Sample.written(size))
        #expect(try count() == counted)
        for key in try script.keys() {
            #expect(try script.run("EXPIRETIME", key) == .integer(Int64(Sample.expirySeconds)))
        }
    }

    @Test("come to the same whichever agent is first", arguments: [(60, 50), (80, 80), (20, 300)])
    func order(one: Int, other: Int) throws {
        let all = members(one + other - 10, seed: 5)
        let parts = [entry(Array(all.prefix(one))), entry(Array(all.suffix(other)))]
        try script.apply(parts[0])
        try script.apply(parts[1], agent: Sample.otherAgent)
        let counted = try count()
        for key in try script.keys() { _ = try script.run("DEL", key) }
        try script.apply(parts[1], agent: Sample.otherAgent)
        try script.apply(parts[0])
        #expect(try count() == counted)
    }

    @Test("put a member into the quarter that its first two bits number")
    func quarters() throws {
        let many = members(400, seed: 9)
        try script.apply(entry(many))
        let keys = entry([]).quarterKeys(shard: Sample.shard)
        for number in 1...SetCell.quarters {
            let expected = many.filter { SetCell.quarter(ofMember: $0[0]) == number }
            let key = keys[Int(number) - 1]
            _ = try script.run([Array("PFADD".utf8), Array("expected".utf8)] + expected)
            #expect(try script.run("PFCOUNT", key) == script.run("PFCOUNT", Array("expected".utf8)))
            #expect(String(decoding: key, as: UTF8.self).hasSuffix(":60:5:\(number)"))
            _ = try script.run("DEL", Array("expected".utf8))
        }
    }

    @Test("date a quarter that is begun late, and leave undated what never expires")
    func lateQuarter() throws {
        let low = members(150, seed: 3).map { [$0[0] & 0x3F] + $0[1...] }
        let high = members(1, seed: 4).map { [$0[0] | 0xC0] + $0[1...] }
        try script.apply(entry(low))
        #expect(try script.keys().count == 1)
        try script.apply(entry(high))
        #expect(try script.keys().count == 2)
        for key in try script.keys() {
            #expect(try script.run("EXPIRETIME", key) == .integer(Int64(Sample.expirySeconds)))
            _ = try script.run("DEL", key)
        }
        try script.apply(entry(low + high, expirySeconds: 0))
        for key in try script.keys() { #expect(try script.run("EXPIRETIME", key) == .integer(-1)) }
    }

    @Test("set aside the members of a quarter that is something else, and take the others")
    func wrongQuarter() throws {
        let many = members(200, seed: 6)
        try script.apply(entry(many))
        let key = entry([]).quarterKeys(shard: Sample.shard)[2]
        let lost = many.count { SetCell.quarter(ofMember: $0[0]) == 3 }
        for value in ["text", "HYLL................."] {
            _ = try script.run("SET", key, value)
            #expect(try script.apply(entry(many)) == Sample.written(200 - lost, dead: [.wrongType: lost]))
        }
    }

    @Test(
        "are within a percent of the truth",
        arguments: (0..<20).map { (10_000, UInt64($0)) } + [(1_000_000, 100), (1_000_000, 101)])
    func accuracy(size: Int, seed: UInt64) throws {
        var random = SeededRandom(seed)
        let keys = entry([]).quarterKeys(shard: Sample.shard)
        var added = 0
        while added < size {
            var quarters = keys.map { [Array("PFADD".utf8), $0] }
            for _ in 0..<5_000 {
                let member = withUnsafeBytes(of: random.next().bigEndian) { Array($0) }
                quarters[Int(SetCell.quarter(ofMember: member[0])) - 1].append(member)
            }
            for quarter in quarters { _ = try script.run(quarter) }
            added += 5_000
        }
        let error = ratio(try count().members, to: size) - 1
        #expect(abs(error) <= 0.01)
        if getenv("HAILWHALE_SHOW_COST") != nil { print("set of \(size): \(error * 100) % off") }
    }
}
