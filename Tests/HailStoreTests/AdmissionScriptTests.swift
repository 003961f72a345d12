import HailCore
import Testing

@testable import HailStore

@Suite("Admission script")
struct AdmissionScriptTests {
    private let store: TestStore
    private let hash: [UInt8]

    init() throws {
        store = try TestStore()
        guard case .bytes(let hash) = try store.run("SCRIPT", "LOAD", AdmissionScript.source) else {
            throw StoreError.unexpectedReply(command: "SCRIPT LOAD")
        }
        self.hash = hash
    }

    /// A value of dimension `v`, or the dimension itself.
    private static func item(_ value: String?, limit: Int, parent: Int? = nil) -> AdmissionAsk.Item {
        AdmissionAsk.Item(
            name: PageField.group(["v"] + (value.map { [$0] } ?? [])), overflowPage: 5,
            counter: value == nil ? PageField.dimensionCount : PageField.valueCount(of: "v"), limit: limit,
            parent: parent, node: 0, isHeavy: false)
    }

    private static func page(
        isWide: Bool = false, chunk: Int64 = 5, expirySeconds: Int64 = Int64(Sample.expirySeconds),
        _ items: [AdmissionAsk.Item]
    ) -> AdmissionAsk.Page {
        var page = AdmissionAsk.Page(
            digest: Sample.subject, widthSeconds: 60, chunk: chunk, expirySeconds: expirySeconds, isWide: isWide)
        page.items = items
        return page
    }

    /// Asks, twice: the same question has the same answer.
    private func ask(_ pages: AdmissionAsk.Page..., small: Int = 200) throws -> [String] {
        let ask = AdmissionAsk(shard: Sample.shard, smallFields: small, pages: pages)
        let command = AdmissionScript.command(for: ask, scriptHash: hash)
        var connection = try store.connector.connect()
        func answer() throws -> [String] {
            let reply = try connection.send(command)
            let verdicts = try #require(AdmissionScript.verdicts(reply, to: ask), "\(reply)")
            return verdicts.map { String(decoding: $0.map(\.rawValue), as: UTF8.self) }
        }
        let first = try answer()
        #expect(try answer() == first)
        return first
    }

    private func values(_ range: Range<Int>, limit: Int) -> [AdmissionAsk.Item] {
        range.map { AdmissionScriptTests.item("\($0)", limit: limit) }
    }

    private func key(_ letter: UInt8 = StoreKey.Letter.page, page: UInt8 = 0, chunk: Int64 = 5) -> [UInt8] {
        StoreKey.chunk(
            letter: letter, shard: Sample.shard, digest: Sample.subject, widthSeconds: 60, chunk: chunk, page: page)
    }

    private func number(_ words: String..., key: [UInt8]) throws -> Int64? {
        try store.run([Array(words[0].utf8), key] + words.dropFirst().map { Array($0.utf8) }).number
    }

    @Test("admits everything while the first page is small, and leaves no key but that")
    func small() throws {
        let items = [AdmissionScriptTests.item(nil, limit: 9), AdmissionScriptTests.item("a", limit: 9, parent: 0)]
        #expect(try ask(AdmissionScriptTests.page(items)) == ["aa"])
        #expect(try number("HLEN", key: key()) == 2)
        #expect(try number("EXPIRETIME", key: key()) == Int64(Sample.expirySeconds))
        #expect(try number("EXISTS", key: key(StoreKey.Letter.counts)) == 0)
    }

    @Test("counts from when the page is no longer small, and then admits no more than the limit")
    func counted() throws {
        let dimension = AdmissionScriptTests.item(nil, limit: 20)
        #expect(
            try ask(AdmissionScriptTests.page([dimension] + values(0..<12, limit: 9)), small: 9)
                == ["aaaaaaaaawwww"])
        #expect(
            try ask(AdmissionScriptTests.page(isWide: true, values(0..<12, limit: 9)), small: 9)
                == ["aaaaaaaaorrr"])
        // The last place is for who asks with the whole limit.
        #expect(
            try ask(AdmissionScriptTests.page(isWide: true, values(10..<12, limit: 10)), small: 9) == ["or"])
        #expect(try store.run([Array("HGET".utf8), key(StoreKey.Letter.counts), Array("vv".utf8)]).number == 10)
        #expect(try store.run([Array("HGET".utf8), key(StoreKey.Letter.counts), Array("d".utf8)]).number == 1)
        #expect(try number("HLEN", key: key(page: 5)) == 2)
        for key in [key(page: 5), key(StoreKey.Letter.counts)] {
            #expect(try number("EXPIRETIME", key: key) == Int64(Sample.expirySeconds))
        }
    }

    @Test("refuses the children of what it refuses, and leaves those unjudged whose parent is")
    func children() throws {
        _ = try ask(AdmissionScriptTests.page(values(0..<1, limit: 1)), small: 1)
        let deep = AdmissionAsk.Item(
            name: PageField.group(["v", "1", "x"]), overflowPage: 9, counter: PageField.valueCount(of: "v"), limit: 1,
            parent: 0, node: 0, isHeavy: false)
        #expect(try ask(AdmissionScriptTests.page(values(1..<2, limit: 1) + [deep]), small: 1) == ["ww"])
        #expect(try ask(AdmissionScriptTests.page(isWide: true, values(1..<2, limit: 1) + [deep]), small: 1) == ["rr"])
    }

    @Test("counts cells beside the names as fields, and not what is counted as __other__")
    func beside() throws {
        for name in [["v", Reserved.other], [Reserved.other], ["v", "0"]] {
            _ = try store.run([Array("HSETNX".utf8), key(), PageField.group(name), Array("1".utf8)])
        }
        for number in 0..<5 { _ = try self.number("HSET", "\u{7F}\(number)", "1", key: key()) }
        #expect(try ask(AdmissionScriptTests.page(isWide: true, values(0..<3, limit: 2)), small: 8) == ["aor"])
        #expect(try store.run([Array("HGET".utf8), key(StoreKey.Letter.counts), Array("d".utf8)]).number == 0)
    }

    @Test("never expires what is kept for ever, and writes nothing into a chunk that is past")
    func expiries() throws {
        #expect(
            try ask(
                AdmissionScriptTests.page(expirySeconds: 0, values(0..<3, limit: 9)),
                AdmissionScriptTests.page(isWide: true, chunk: 4, expirySeconds: 1_000, values(0..<3, limit: 9)),
                small: 2) == ["aaw", "aaa"])
        #expect(try number("EXPIRETIME", key: key()) == -1)
        #expect(try number("EXISTS", key: key(chunk: 4)) == 0)
        _ = try ask(AdmissionScriptTests.page(isWide: true, expirySeconds: 0, values(0..<3, limit: 9)), small: 2)
        #expect(try number("EXPIRETIME", key: key(page: 5)) == -1)
        #expect(try number("EXPIRETIME", key: key(StoreKey.Letter.counts)) == -1)
    }

    @Test("admits where a key holds something else, and goes on with the others")
    func wrongType() throws {
        for key in [key(chunk: 4), key(page: 5)] { _ = try store.run([Array("SET".utf8), key, Array("x".utf8)]) }
        #expect(
            try ask(
                AdmissionScriptTests.page(chunk: 4, values(0..<2, limit: 9)),
                AdmissionScriptTests.page(isWide: true, values(0..<2, limit: 9)), small: 1) == ["ee", "ae"])
    }

    @Test("admits what a store that went back still has by name, and forgets counts at worst")
    func rewound() throws {
        _ = try ask(AdmissionScriptTests.page(isWide: true, values(0..<4, limit: 4)), small: 2)
        _ = try store.run([Array("DEL".utf8), key(StoreKey.Letter.counts)])
        #expect(try ask(AdmissionScriptTests.page(isWide: true, values(2..<4, limit: 4)), small: 2) == ["oo"])
    }

    @Test("holds the limit however many agents ask at once")
    func agents() async throws {
        let admitted = await withTaskGroup(of: Int.self) { group in
            for agent in 0..<4 {
                group.addTask { [self] in
                    let pages = (0..<10).map { round in
                        AdmissionScriptTests.page(
                            isWide: true,
                            values((1_000 * agent + 20 * round)..<(1_000 * agent + 20 * round + 20), limit: 50))
                    }
                    return pages.reduce(0) { sum, page in
                        sum + ((try? ask(page, small: 10))?.first ?? "").count { $0 == "a" || $0 == "o" }
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted == 50)
    }
}
