import Dispatch
import Glibc
import Testing

@testable import HailStore

@Suite("Redis connection")
struct RedisConnectionTests {
    @Test("brings every kind of reply, in order")
    func replies() throws {
        let store = try TestStore()
        var connection = try store.connector.connect()
        let replies = try connection.pipeline(
            [
                ["SET", "k", "a\r\n\0b"], ["GET", "k"], ["GET", "none"], ["INCR", "n"], ["LPUSH", "l", "x"],
                ["LRANGE", "l", "0", "-1"], ["INCR", "k"], ["NOSUCH"],
            ].map { $0.map { Array($0.utf8) } })
        #expect(
            Array(replies.prefix(6)) == [
                .status("OK"), .bytes(Array("a\r\n\0b".utf8)), .null, .integer(1), .integer(1),
                .array([.bytes([0x78])]),
            ])
        #expect(replies[6] == .error("ERR value is not an integer or out of range"))
        guard case .error(let text) = replies[7] else {
            Issue.record("an unknown command was answered with \(replies[7])")
            return
        }
        #expect(text.hasPrefix("ERR unknown command"))
        let isAlive = connection.isAlive
        #expect(isAlive)
    }

    @Test("is dead after its server went, and says so again")
    func dead() throws {
        let store = try TestStore()
        var connection = try store.connector.connect()
        #expect(store.embedded.stop())
        #expect(throws: StoreError.self) { try connection.send(RedisCommand("PING")) }
        let isAlive = connection.isAlive
        #expect(!isAlive)
        #expect(throws: StoreError.connectionLost("not connected")) { try connection.send(RedisCommand("PING")) }
    }

    @Test("gives up on a command after its timeout")
    func timeout() throws {
        let store = try TestStore()
        var connection = try RedisConnection(
            unixSocket: store.embedded.socketPath,
            timeouts: RedisConnection.Timeouts(connectMilliseconds: 1_000, commandMilliseconds: 50))
        #expect(throws: StoreError.connectionLost(RedisConnection.timeoutText)) {
            try connection.send(RedisCommand("BLPOP", "none", "5"))
        }
    }

    @Test("logs in, selects a database, and says when either is refused")
    func login() throws {
        let store = try TestStore()
        try store.run("ACL", "SETUSER", "hail", "on", ">s3:cret", "~*", "&*", "+@all")
        let path = store.embedded.socketPath
        func url(_ password: String, _ database: Int = 0) -> StoreURL {
            .unix(path: path, login: .init(user: "hail", password: password), database: database)
        }
        var connection = try RedisConnection(to: url("s3:cret"))
        #expect(try connection.send(RedisCommand("ACL", "WHOAMI")) == .bytes(Array("hail".utf8)))
        for bad in [url("wrong"), url("s3:cret", 9)] {
            let failure = #expect(throws: StoreError.self) { _ = try RedisConnection(to: bad).isAlive }
            guard case .refused = failure else {
                Issue.record("it failed with \(String(describing: failure))")
                continue
            }
        }
    }

    @Test("says when nobody listens", arguments: ["redis://127.0.0.1:1", "redis://[::1]:1", "redis+unix:///none.sock"])
    func unreachable(text: String) throws {
        let url = try StoreURL(parsing: text)
        let failure = #expect(throws: StoreError.self) { _ = try RedisConnection(to: url).isAlive }
        guard case .unreachable = failure else {
            Issue.record("it failed with \(String(describing: failure))")
            return
        }
    }
}

@Suite("Store reader")
struct StoreReaderTests {
    @Test("gives up an answer that takes too much memory, and answers the next")
    func limit() throws {
        let store = try TestStore()
        let reader = StoreReader(connector: store.connector, answerLimitBytes: 100_000)
        let text = String(repeating: "x", count: 90_000)
        #expect(try read(reader, [["ECHO", text]]) == [.bytes(Array(text.utf8))])
        #expect(throws: StoreError.answerTooLarge(limitBytes: 100_000)) {
            try read(reader, [["ECHO", text], ["ECHO", text]])
        }
        // Elements weigh more than their bytes.
        #expect(throws: StoreError.answerTooLarge(limitBytes: 100_000)) {
            try read(reader, (0..<2_000).map { _ in ["ECHO", ""] })
        }
        #expect(try read(reader, [["PING"]]) == [.status("PONG")])
    }

    private func read(_ reader: StoreReader, _ commands: [[String]]) throws -> [StoreReply] {
        let done = DispatchSemaphore(value: 0)
        let box = Box()
        reader.read(commands.map { $0.map { Array($0.utf8) } }) { result in
            box.result = result
            done.signal()
        }
        done.wait()
        return try #require(box.result).get()
    }

    /// `@unchecked Sendable`: written before a semaphore is signalled, read after it.
    private final class Box: @unchecked Sendable {
        var result: Result<[StoreReply], StoreError>?
    }

    @Test("answers, and again over a new connection when the old one is gone")
    func reads() throws {
        let store = try TestStore()
        let reader = StoreReader(connector: store.connector)
        #expect(try read(reader, [["PING"], ["GET", "none"]]) == [.status("PONG"), .null])
        #expect(try read(reader, []) == [])
        #expect(try read(reader, (0..<1_000).map { ["ECHO", "\($0)"] }).map(\.number) == (0..<1_000).map(Int64.init))
        store.embedded.stop()
        #expect(throws: StoreError.self) { try read(reader, [["PING"]]) }
        try store.embedded.ensureRunning()
        #expect(try read(reader, [["PING"]]) == [.status("PONG")])
        try store.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        #expect(try read(reader, [["PING"]]) == [.status("PONG")])
    }
}
