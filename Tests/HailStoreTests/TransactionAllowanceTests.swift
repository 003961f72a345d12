import Dispatch
import Glibc
import HailCore
import Testing

@testable import HailStore

@Suite("A store that allows less", .timeLimit(.minutes(1)))
struct TransactionAllowanceTests {
    private let journal = Journal()

    /// Brings three plain batches of each of four shards to a store, and waits for them.
    private func deliver(_ url: StoreURL) throws {
        let journal = journal
        let writer = StoreWriter(
            connector: StoreConnector(url: url), agent: Sample.agent, spool: nil,
            surroundings: StoreWriter.Surroundings(random: { 0 }, unixSeconds: { Int64(time(nil)) }),
            report: { journal.note($0) })
        writer.start()
        let batches = (1...3 as ClosedRange<UInt64>).flatMap { sequence in
            (0..<4 as Range<UInt8>).map { Sample.batch(sequence, shard: Shard($0)) }
        }
        writer.submit(batches.map { SubmittedBatch(header: BatchHeader($0), bytes: $0.encoded, location: nil) })
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        #expect(journal.acknowledged.count == 12)
    }

    private func expectAll(_ connection: inout RedisConnection, transactions: ClosedRange<Int>, calls: Int) throws {
        for shard in 0..<4 as Range<UInt8> {
            let key = Sample.entry([]).key(shard: Shard(shard))
            #expect(try connection.send(RedisCommand([Array("HGET".utf8), key, Array("0".utf8)])).number == 3)
            #expect(
                try connection.send(RedisCommand([Array("EXPIRETIME".utf8), key])).number
                    == Int64(Sample.expirySeconds))
        }
        let info = try #require(try connection.send(RedisCommand("INFO", "commandstats")).text)
        func count(_ command: String) -> Int {
            let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_\(command):calls=") }
            return line.flatMap { Int($0.drop { $0 != "=" }.dropFirst().prefix { $0.isNumber }) } ?? 0
        }
        #expect(transactions.contains(count("exec")))
        #expect(count("evalsha") == calls)
    }

    @Test(
        "gets its plain batches by script where a user may not begin a transaction, or not end it",
        arguments: ["watch", "multi", "exec"])
    func forbidden(command: String) throws {
        let store = try TestStore()
        try store.run("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-\(command)")
        let login = StoreURL.Login(user: "limited", password: "secret")
        try deliver(.unix(path: store.embedded.socketPath, login: login, database: 0))
        var connection = try store.connector.connect()
        try expectAll(&connection, transactions: 0...0, calls: 12)
        let isDown = journal.all.contains { if case .down = $0 { true } else { false } }
        #expect(isDown == (command == "exec"))
    }

    @Test("gets a transaction for each shard where it is a cluster's node")
    func cluster() throws {
        let node = try ClusterNode()
        try node.serveAll()
        try deliver(.unix(path: node.socketPath, login: nil, database: 0))
        var connection = try RedisConnection(unixSocket: node.socketPath)
        try expectAll(&connection, transactions: 4...12, calls: 0)
    }
}
