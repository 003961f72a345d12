import Glibc
import HailCore
import HailQuery
import HailSeal
import HailStore
import Testing

/// Against a real server: what it counts with `PFCOUNT`, the agent counts from the same strings.
@Suite("Distinct counts")
struct DistinctCountTests {
    static let now = PeriodTests.now

    /// A server in a folder of its own; both end with the owner.
    private final class Server: Sendable {
        let folder: String
        let embedded: EmbeddedStore

        init() throws {
            var template = Array("/tmp/hailwhale-test-XXXXXX".utf8CString)
            folder = String(cString: try #require(mkdtemp(&template)))
            signal(SIGPIPE, SIG_IGN)
            embedded = EmbeddedStore(folder: folder)
            try embedded.ensureRunning()
        }

        deinit {
            embedded.stop()
            Server.remove(folder)
        }

        private static func remove(_ path: String) {
            guard let directory = opendir(path) else {
                unlink(path)
                return
            }
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { remove(path + "/" + name) }
            }
            closedir(directory)
            rmdir(path)
        }
    }

    private static func member(_ number: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: number)
        let mixed = generator.next()
        return (0..<8).map { UInt8(truncatingIfNeeded: mixed >> UInt64($0 * 8)) }
    }

    private func words(_ words: String...) -> [[UInt8]] { words.map { Array($0.utf8) } }

    /// Adds members to the four quarters under a name, as the store's script does.
    private func add(_ members: some Sequence<UInt64>, to name: String, _ connection: inout RedisConnection) throws {
        var quarters = [[[UInt8]]](repeating: [], count: 4)
        func send(_ index: Int) throws {
            guard !quarters[index].isEmpty else { return }
            _ = try connection.send(RedisCommand(words("PFADD", "\(name):\(index)") + quarters[index]))
            quarters[index] = []
        }
        for number in members {
            let member = Self.member(number)
            let index = Int(SetCell.quarter(ofMember: member[0])) - 1
            quarters[index].append(member)
            if quarters[index].count == 2_000 { try send(index) }
        }
        for index in 0..<4 { try send(index) }
    }

    private func strings(_ name: String, _ connection: inout RedisConnection) throws -> [[UInt8]] {
        var strings: [[UInt8]] = []
        for index in 0..<4 {
            if case .bytes(let bytes) = try connection.send(RedisCommand("GET", "\(name):\(index)")) {
                strings.append(bytes)
            }
        }
        return strings
    }

    private func counted(_ names: [String], _ connection: inout RedisConnection) throws -> Int64 {
        var sum: Int64 = 0
        for index in 0..<4 {
            let keys = names.map { Array("\($0):\(index)".utf8) }
            if case .integer(let count) = try connection.send(RedisCommand(words("PFCOUNT") + keys)) { sum += count }
        }
        return sum
    }

    private func total(_ store: FakeStore) throws -> Int64 {
        let answer = try store.totals(["metrics": .string("s:set"), "periods": .path("1m:1h")], now: Self.now)
        guard case .number(let text) = answer["1m:1h"]?["_"]?["s:set"] else { return -1 }
        return try #require(Int64(text))
    }

    private func store() throws -> FakeStore {
        var store = FakeStore(ladder: try Ladder(parsing: "1m:1d"))
        store.sketches = store.ladder.resolutions.filter { !$0.isAllTime }
        return store
    }

    @Test("are the store's own, sparse and dense, alone and in union")
    func likeTheStore() throws {
        let server = try Server()
        var connection = try RedisConnection(unixSocket: server.embedded.socketPath)
        // Rounded once where the server rounds each of four.
        let slack: Int64 = 2
        var added: UInt64 = 0
        for size in [UInt64(5), 101, 1_000, 3_000, 20_000, 100_000, 1_000_000] {
            try add(added..<size, to: "all", &connection)
            added = size
            var store = try store()
            store.insert([], quarters: try strings("all", &connection), [], [], "s", at: Self.now)
            let estimate = try total(store)
            #expect(abs(estimate - (try counted(["all"], &connection))) <= slack, "\(size)")
            #expect(abs(estimate - Int64(size)) <= max(1, Int64(size) / 50), "\(size)")
        }
        // Minutes that overlap, sparse, dense and exact.
        try add(0..<3_000, to: "a", &connection)
        try add(2_000..<40_000, to: "b", &connection)
        let exact = 39_950..<UInt64(40_040)
        var store = try store()
        store.insert([], quarters: try strings("a", &connection), [], [], "s", at: Self.now - 300)
        store.insert([], quarters: try strings("b", &connection), [], [], "s", at: Self.now - 200)
        #expect(abs(try total(store) - (try counted(["a", "b"], &connection))) <= slack)
        store.insert(exact.map(Self.member), [], [], "s", at: Self.now - 100)
        try add(exact, to: "c", &connection)
        #expect(abs(try total(store) - (try counted(["a", "b", "c"], &connection))) <= slack)
    }

    @Test(
        "refuse strings that are no HyperLogLog",
        arguments: [
            [], Array("HYLL".utf8), Array("XYLL".utf8) + [UInt8](repeating: 0, count: 12_300),
            Array("HYLL\u{2}".utf8) + [UInt8](repeating: 0, count: 12_299),
            Array("HYLL".utf8) + [UInt8](repeating: 0, count: 12_299),
            Array("HYLL\u{1}".utf8) + [UInt8](repeating: 0, count: 11),
            Array("HYLL\u{1}".utf8) + [UInt8](repeating: 0, count: 11) + [0x7F],
            Array("HYLL\u{1}".utf8) + [UInt8](repeating: 0, count: 11) + [0x7F, 0xFE],
            Array("HYLL\u{1}".utf8) + [UInt8](repeating: 0, count: 11) + [0x7F, 0xFF, 0x80],
        ] as [[UInt8]])
    func refused(bytes: [UInt8]) throws {
        var store = try store()
        store.insert([], quarters: [bytes], [], [], "s", at: Self.now)
        #expect(code { _ = try total(store) } == .storeUnreadable)
    }

    @Test("take an empty or a full one without a fault", arguments: [UInt8(0), 0xFF])
    func extremes(fill: UInt8) throws {
        var store = try store()
        let bytes = Array("HYLL".utf8) + [UInt8](repeating: fill, count: 12_300)
        store.insert([], quarters: [bytes, bytes], [], [], "s", at: Self.now)
        if fill == 0 { #expect(try total(store) == 0) } else { #expect(throws: Never.self) { _ = try? total(store) } }
    }

    @Test("refuse members that are not eight bytes", arguments: [0, 7, 9])
    func members(length: Int) throws {
        var store = try store()
        store.insert([[UInt8](repeating: 1, count: length)], [], [], "s", at: Self.now)
        #expect(code { _ = try total(store) } == .storeUnreadable)
    }
}
