import Dispatch
import Glibc
import HailCore
import Testing

@testable import HailStore

@Suite("Transactions", .timeLimit(.minutes(1)))
struct TransactionTests {
    private let store: TestStore
    private let folder: TestFolder
    private let journal = Journal()

    init() throws {
        store = try TestStore()
        folder = try TestFolder()
    }

    private func writer(
        _ connector: StoreConnector? = nil, agent: Digest = Sample.agent, journal: Journal? = nil,
        spool: SpoolReader? = nil, recovered: [SpoolRecovery.Batch] = []
    ) -> StoreWriter {
        let journal = journal ?? self.journal
        let writer = StoreWriter(
            connector: connector ?? store.connector, agent: agent, spool: spool,
            surroundings: StoreWriter.Surroundings(random: { 0 }, unixSeconds: { Int64(time(nil)) }),
            report: { journal.note($0) })
        writer.start(recovered: recovered)
        return writer
    }

    private func submitted(_ batches: [Batch]) -> [SubmittedBatch] {
        batches.map { SubmittedBatch(header: BatchHeader($0), bytes: $0.encoded, location: nil) }
    }

    private func number(_ words: [[UInt8]]) throws -> Int64? { try store.run(words).number }

    private func field(_ field: Int, of key: [UInt8] = Sample.key) throws -> Int64? {
        try number([Array("HGET".utf8), key, Array("\(field)".utf8)])
    }

    private func expiry(_ key: [UInt8] = Sample.key) throws -> Int64? { try number([Array("EXPIRETIME".utf8), key]) }

    private func guardValue() throws -> Int64? { try number([Array("GET".utf8), Sample.guardKey]) }

    private func calls(_ command: String) throws -> Int {
        let info = try #require(try store.run("INFO", "commandstats").text)
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_\(command):calls=") }
        return line.flatMap { Int($0.drop { $0 != "=" }.dropFirst().prefix { $0.isNumber }) } ?? 0
    }

    private func plain(_ count: UInt64, agent: Digest = Sample.agent) -> [Batch] {
        (1...count).map { Sample.batch($0, [Sample.entry([1, 2])], agent: agent) }
    }

    /// Brings batches to the store through a proxy that does something once; each must count once.
    private func endure(
        _ batches: [Batch], at place: String, _ action: StoreProxy.Action, _ comment: Comment? = nil
    ) throws {
        let proxy = try StoreProxy(store, folder: folder, at: place, action)
        let writer = writer(proxy.connector)
        writer.submit(submitted(batches))
        #expect(writer.drain(deadline: .now() + 20))
        #expect(proxy.isDone, comment)
        writer.close()
        proxy.close()
        #expect(try field(0) == Int64(batches.count), comment)
        #expect(try field(1) == 2 * Int64(batches.count), comment)
        #expect(try expiry() == Int64(Sample.expirySeconds), comment)
        let order = journal.acknowledged.map(\.0.identity.sequence)
        #expect(order == batches.map(\.sequence), comment)
    }

    // MARK: What it does

    @Test("takes many batches of one shard at once, in order, and sets the guard to the last")
    func manyOfOneShard() throws {
        let writer = writer()
        writer.submit(submitted(plain(50)))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        #expect(try field(0) == 50)
        #expect(try guardValue() == 50)
        #expect(journal.acknowledged.map(\.0.identity.sequence) == Array(1...50))
        #expect(try calls("exec") <= 2)
        #expect(try calls("evalsha") == 0)
    }

    @Test("carries no more than its bound at once")
    func bounded() throws {
        let entries = (0..<1_500).map { Sample.entry([1], chunk: Int64($0)) }
        let writer = writer()
        writer.submit(submitted((1...8).map { Sample.batch($0, entries) }))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        #expect(try calls("hincrby") == 12_000)
        // Each of the entries takes its expiry too, so that one batch fills a transaction, or two.
        #expect((4...9).contains(try calls("exec")))
    }

    @Test("takes turns with the script, each batch once and in order")
    func mixed() throws {
        let writer = writer()
        let batches = (1...40 as ClosedRange<UInt64>).map { sequence in
            sequence % 3 == 0
                ? Sample.batch(sequence, [Sample.entry([1]), Sample.entry([4], operation: .greatest, page: 1)])
                : Sample.batch(sequence, [Sample.entry([1])])
        }
        writer.submit(submitted(batches))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        #expect(try field(0) == 40)
        #expect(try guardValue() == 40)
        #expect(journal.acknowledged.map(\.0.identity.sequence) == Array(1...40))
        #expect(try calls("evalsha") == 13)
    }

    @Test("leaves in the store what the script would have left", arguments: 0..<20)
    func sameAsScript(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let other = try TestScript()
        let writer = writer()
        let batches = (1...5 as ClosedRange<UInt64>).map { Sample.batch($0, random.plainEntries()) }
        for batch in batches { try other.apply(batch.groups[0].entries) }
        writer.submit(submitted(batches))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        func content(_ store: TestStore) throws -> [String: String] {
            var connection = try store.connector.connect()
            guard case .array(let keys) = try connection.send(RedisCommand("KEYS", "hw1:*")) else { return [:] }
            var content: [String: String] = [:]
            for case .bytes(let key) in keys {
                let kind = try connection.send(RedisCommand([Array("TYPE".utf8), key])).text
                let read: [[UInt8]] =
                    switch kind {
                    case "hash": [Array("HGETALL".utf8), key]
                    case "zset": [Array("ZRANGE".utf8), key, Array("0".utf8), Array("-1".utf8)]
                    default: [Array("GET".utf8), key]
                    }
                guard case .array(let items) = try connection.send(RedisCommand(read)) else { continue }
                let words = items.map { item in if case .bytes(let bytes) = item { "\(bytes)" } else { "?" } }
                let pairs = stride(from: 0, to: words.count, by: 2).map { words[$0..<min($0 + 2, words.count)] }
                let expiry = try connection.send(RedisCommand([Array("EXPIRETIME".utf8), key])).number
                content["\(key)"] = "\(pairs.map { "\($0)" }.sorted()) \(expiry ?? 0)"
            }
            return content
        }
        let (left, right) = (try content(store), try content(other.store))
        #expect(left == right)
        #expect(left.count > 3)
    }

    // MARK: Broken connections

    @Test("counts once over a connection that breaks before the transaction begins")
    func cutBefore() throws { try endure(plain(3), at: "MULTI", .cut) }

    @Test("counts once over a connection that breaks in the middle of the commands", arguments: [0, 10, 70, 200, 333])
    func cutBetween(count: Int) throws { try endure(plain(3), at: "HINCRBY", .cutBehind(count)) }

    @Test("counts once over a connection that breaks before the end is sent, or within it", arguments: [0, 5, 13])
    func cutBeforeEnd(count: Int) throws { try endure(plain(3), at: "*1\r\n$4\r\nEXEC", .cutBehind(count)) }

    @Test("counts once over a connection that breaks before the answer")
    func cutBehind() throws {
        try endure(plain(3), at: "*1\r\n$4\r\nEXEC", .swallowAnswer)
        #expect(journal.all.contains(.retried(batches: 3)))
    }

    @Test("counts once when the guards' answer is lost")
    func cutGuards() throws { try endure(plain(3), at: "$3\r\nGET", .swallowAnswer) }

    // MARK: Others at the same store

    @Test("does nothing when a guard is changed by another before the end, and looks again")
    func changedGuard() throws {
        let (store, batch) = (store, plain(1)[0])
        try endure(
            plain(2), at: "HINCRBY",
            .run {
                // Another agent, on a copy of the data folder, was quicker.
                guard let hash = try? store.run("SCRIPT", "LOAD", FlushScript.source),
                    case .bytes(let bytes) = hash, var connection = try? store.connector.connect()
                else { return }
                _ = try? connection.send(FlushScript.command(for: batch, mode: .ordered, scriptHash: bytes))
            })
        #expect(journal.acknowledged.first?.1 == .duplicate)
        #expect(try guardValue() == 2)
    }

    @Test("counts once what two agents on copies of a data folder send at once")
    func copies() throws {
        let journals = [Journal(), Journal()]
        let writers = journals.map { writer(journal: $0) }
        let batches = (1...300 as ClosedRange<UInt64>).flatMap { sequence in
            (0..<4 as Range<UInt8>).map { Sample.batch(sequence, shard: Shard($0)) }
        }
        for writer in writers { writer.submit(submitted(batches)) }
        for writer in writers {
            #expect(writer.drain(deadline: .now() + 30))
            writer.close()
        }
        for shard in 0..<4 as Range<UInt8> {
            #expect(try field(0, of: Sample.entry([]).key(shard: Shard(shard))) == 300)
        }
        for journal in journals { #expect(journal.acknowledged.count == 1_200) }
    }

    @Test("sends everything again to a store that is emptied in the middle")
    func emptied() throws {
        let now = Int64(time(nil))
        let spool = try Spool(folder: folder.path + "/", limitBytes: 1 << 20, nowSeconds: now)
        let batches = plain(6)
        let locations = try spool.append(
            windows: [], batches: batches.map { (header: BatchHeader($0), bytes: $0.encoded) }, nowSeconds: now)
        let all = zip(batches, locations).map {
            SubmittedBatch(header: BatchHeader($0), bytes: $0.encoded, location: $1)
        }
        let store = store
        let before = writer(spool: spool.reader)
        before.submit(Array(all[..<3]))
        #expect(before.drain(deadline: .now() + 20))
        let proxyFolder = try TestFolder()
        let proxy = try StoreProxy(
            store, folder: proxyFolder, at: "*1\r\n$4\r\nEXEC", .run { _ = try? store.run("FLUSHALL") })
        before.close()
        let after = writer(proxy.connector, spool: spool.reader)
        after.submit(all)
        #expect(after.drain(deadline: .now() + 20))
        after.close()
        proxy.close()
        #expect(proxy.isDone)
        #expect(try field(0) == 6)
        #expect(try expiry() == Int64(Sample.expirySeconds))
    }

    @Test("does nothing where the guard is something else, and stops the shard", arguments: ["word", "hash"])
    func badGuard(kind: String) throws {
        if kind == "hash" {
            try store.run([Array("HSET".utf8), Sample.guardKey, [0x30], [0x30]])
        } else {
            try store.run([Array("SET".utf8), Sample.guardKey, Array(kind.utf8)])
        }
        let writer = writer()
        writer.submit(submitted(plain(2)))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        #expect(try field(0) == nil)
        #expect(journal.acknowledged.isEmpty)
        #expect(journal.all.contains { if case .shardStopped(Sample.shard, _) = $0 { true } else { false } })
    }

    // MARK: A store that refuses

    @Test(
        "is undone whole by a store that stops to take writes before its end",
        arguments: ["OOM", "NOREPLICAS", "READONLY", "MISCONF"])
    func refusedAtTheEnd(reason: String) throws {
        var connection = try store.connector.connect()
        _ = try connection.pipeline([RedisCommand("WATCH", "g"), RedisCommand("MULTI")])
        for words in [["HINCRBY", "k", "f", "1"], ["SET", "g", "1"]] {
            #expect(try connection.send(RedisCommand(words.map { Array($0.utf8) })) == .status("QUEUED"))
        }
        switch reason {
        case "OOM": try store.run("CONFIG", "SET", "maxmemory", "1")
        case "NOREPLICAS": try store.run("CONFIG", "SET", "min-replicas-to-write", "1")
        case "READONLY": try store.run("REPLICAOF", "127.0.0.1", "1")
        default: try failToSave()
        }
        let reply = try connection.send(RedisCommand("EXEC"))
        guard case .error(let text) = reply else {
            Issue.record("\(reply)")
            return
        }
        #expect(text.hasPrefix("EXECABORT") && text.contains(reason), "\(text)")
        #expect(try store.run("EXISTS", "k", "g") == .integer(0))
    }

    /// Has the store fail to write its snapshot, so that it refuses writes.
    private func failToSave() throws {
        mkdir(store.folder.path + "/dump.rdb", 0o700)
        try store.run("CONFIG", "SET", "save", "3600 1")
        try store.run("CONFIG", "SET", "appendonly", "no")
        try store.run("BGSAVE")
        for _ in 0..<1_000 {
            if try store.run("INFO", "persistence").text?.contains("rdb_last_bgsave_status:err") == true { return }
            usleep(5_000)
        }
        Issue.record("the snapshot was written")
    }

    @Test("holds its batches while the store has no room at the end of a transaction, and says why")
    func outOfMemory() throws {
        let store = store
        let proxy = try StoreProxy(
            store, folder: folder, at: "*1\r\n$4\r\nEXEC",
            .run { _ = try? store.run("CONFIG", "SET", "maxmemory", "1") })
        let writer = writer(proxy.connector)
        writer.submit(submitted(plain(3)))
        #expect(!writer.drain(deadline: .now() + 0.3))
        #expect(try field(0) == nil)
        #expect(try guardValue() == nil)
        let reasons = journal.all.compactMap { if case .down(let reason) = $0 { reason } else { nil } }
        #expect(reasons.count == 1 && reasons[0].hasPrefix("OOM"))
        try store.run("CONFIG", "SET", "maxmemory", "0")
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        proxy.close()
        #expect(try field(0) == 3)
    }

    // MARK: Cells that cannot be added

    @Test("buries what meets another type or an overflow, says why, and goes on")
    func deadCells() throws {
        let (good, taken) = (Sample.entry([1, 2]), Sample.entry([7, 8], chunk: 6))
        try store.run([Array("SET".utf8), taken.key(shard: Sample.shard), Array("x".utf8)])
        try store.run([Array("HSET".utf8), Sample.key, Array("0".utf8), Array("\(Int64.max)".utf8)])
        try store.run([Array("HSET".utf8), Sample.key, Array("2".utf8), Array("word".utf8)])
        let batch = Sample.batch(1, [Sample.entry([1, 2, 3]), taken, good])
        let writer = writer()
        writer.submit(submitted([batch]))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        guard case .applied(let tally)? = journal.acknowledged.first?.1 else {
            Issue.record("\(journal.all)")
            return
        }
        #expect(tally.deadByReason == [.wrongType: 2, .overflow: 2, .notInteger: 1])
        #expect(try field(1) == 4)
        let list = StoreKey.deadLetters(shard: Sample.shard)
        guard
            case .array(let records) = try store.run([
                Array("LRANGE".utf8), list, Array("0".utf8), Array("-1".utf8),
            ])
        else { return }
        let words = records.compactMap { $0.text?.split(separator: " ").map(String.init) }
        let key = String(decoding: Sample.key, as: UTF8.self)
        let takenKey = String(decoding: taken.key(shard: Sample.shard), as: UTF8.self)
        #expect(
            words.map { [$0[0], $0[2], $0[3], $0[4]] } == [
                ["2", key, "1", "0"], ["1", takenKey, "8", "1"], ["1", takenKey, "7", "0"], ["3", key, "3", "2"],
                ["2", key, "1", "0"],
            ])
    }

    @Test("keeps no more dead cells than the list holds")
    func manyDead() throws {
        let entry = Sample.entry(Array(repeating: 1, count: 1_200))
        try store.run([Array("SET".utf8), entry.key(shard: Sample.shard), Array("x".utf8)])
        let writer = writer()
        writer.submit(submitted([Sample.batch(1, [entry]), Sample.batch(2)]))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        // The list is a best effort, after the batches count as stored.
        let list = StoreKey.deadLetters(shard: Sample.shard)
        #expect(try number([Array("LLEN".utf8), list]) == 1_000)
    }

    // MARK: Expiries

    @Test("gives a key its expiry that is new against all that was known")
    func surprise() throws {
        var entry = Sample.entry([5])
        entry.mayBeNew = false
        var named = Sample.entry([1], letter: StoreKey.Letter.page, operation: .name, chunk: 9)
        named.mayBeNew = false
        let writer = writer()
        writer.submit(submitted([Sample.batch(1, [entry, named])]))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        #expect(try expiry() == Int64(Sample.expirySeconds))
        #expect(try expiry(named.key(shard: Sample.shard)) == Int64(Sample.expirySeconds))
    }

    @Test("says no expiry where a key is known, and none of what never expires")
    func quiet() throws {
        var entry = Sample.entry([5])
        let writer = writer()
        writer.submit(submitted([Sample.batch(1, [entry, Sample.entry([1], expirySeconds: 0, chunk: 6)])]))
        #expect(writer.drain(deadline: .now() + 20))
        #expect(try calls("expireat") == 1)
        entry.mayBeNew = false
        writer.submit(submitted([Sample.batch(2, [entry])]))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        #expect(try calls("expireat") == 1)
        #expect(try field(0) == 10)
    }

    @Test("deletes at once what is past its expiry")
    func past() throws {
        let writer = writer()
        writer.submit(submitted([Sample.batch(1, [Sample.entry([5], expirySeconds: 1_000)])]))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        #expect(try store.run([Array("EXISTS".utf8), Sample.key]) == .integer(0))
        #expect(try guardValue() == 1)
    }

    @Test("gives keys their expiry whose batch was applied by an agent that ended before it saw to that")
    func duplicateIsDated() throws {
        var entry = Sample.entry([5])
        entry.mayBeNew = false
        try store.run([Array("HINCRBY".utf8), Sample.key, Array("0".utf8), Array("5".utf8)])
        try store.run([Array("SET".utf8), Sample.guardKey, Array("1".utf8)])
        let writer = writer()
        writer.submit(submitted([Sample.batch(1, [entry])]))
        #expect(writer.drain(deadline: .now() + 20))
        writer.close()
        #expect(journal.acknowledged.map(\.1) == [.duplicate])
        #expect(try field(0) == 5)
        #expect(try expiry() == Int64(Sample.expirySeconds))
    }

    // MARK: A store whose disk was torn

    @Test("finds a transaction that was torn on the store's disk not there at all, and sends it again")
    func tornFile() throws {
        let batches = plain(3)
        let first = writer()
        first.submit(submitted([batches[0]]))
        #expect(first.drain(deadline: .now() + 20))
        let whole = try appendedBytes()
        first.submit(submitted(Array(batches[1...])))
        #expect(first.drain(deadline: .now() + 20))
        first.close()
        let grown = try appendedBytes()
        #expect(grown.count > whole.count + 100)
        kill(try store.processID(), SIGKILL)
        while store.embedded.isAnswering { usleep(2_000) }
        #expect(truncate(grown.path, off_t(whole.count + (grown.count - whole.count) / 2)) == 0)
        try store.embedded.ensureRunning()
        #expect(try field(0) == 1)
        #expect(try guardValue() == 1)
        let second = writer()
        second.submit(submitted(batches))
        #expect(second.drain(deadline: .now() + 20))
        second.close()
        #expect(try field(0) == 3)
    }

    /// The file that the store appends to, and its length.
    private func appendedBytes() throws -> (path: String, count: Int) {
        let name = try #require(try store.run("CONFIG", "GET", "appenddirname").items?[1].text)
        let directory = store.folder.path + "/" + name
        var found: [(path: String, count: Int)] = []
        let stream = try #require(opendir(directory))
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let file = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard file.hasSuffix(".incr.aof") else { continue }
            var status = stat()
            stat(directory + "/" + file, &status)
            found.append((directory + "/" + file, Int(status.st_size)))
        }
        return try #require(found.max { $0.path < $1.path })
    }
}

extension StoreReply {
    fileprivate var items: [StoreReply]? { if case .array(let items) = self { items } else { nil } }
}

extension EmbeddedStore {
    fileprivate var isAnswering: Bool { (try? RedisConnection(unixSocket: socketPath)) != nil }
}

extension SeededRandom {
    /// Entries that a transaction can take: strips, pages, names and children, of a few keys.
    fileprivate mutating func plainEntries() -> [BatchEntry] {
        (0..<Int.random(in: 1...30, using: &self)).map { _ in
            let letters = [StoreKey.Letter.counterStrip, StoreKey.Letter.page, StoreKey.Letter.names]
            let letter = letters[Int.random(in: 0..<3, using: &self)]
            let isNames = letter == StoreKey.Letter.names
            let digests = [Sample.subject, Digest(high: .max, low: 0), Digest(high: 1, low: .max)]
            let operation: BatchEntry.Operation =
                isNames ? .child : letter == StoreKey.Letter.page && Bool.random(using: &self) ? .name : .add
            let fields = (0..<Int.random(in: 1...4, using: &self)).map { _ in
                let isLong = Int.random(in: 0..<10, using: &self) == 0
                return (0..<Int.random(in: 0...(isLong ? 300 : 6), using: &self)).map { _ in
                    UInt8(truncatingIfNeeded: next())
                }
            }
            let values: [Int64] = [0, 1, -1, 9, 10, -10, 99_999, 1 << 40, -(1 << 40)]
            return BatchEntry(
                letter: letter, digest: digests[Int.random(in: 0..<3, using: &self)],
                widthSeconds: isNames ? 0 : [0, 10, 86_400][Int.random(in: 0..<3, using: &self)],
                chunk: isNames ? 0 : [0, 5, -7, 495_123][Int.random(in: 0..<4, using: &self)],
                page: letter == StoreKey.Letter.page ? [0, 1, 64][Int.random(in: 0..<3, using: &self)] : 0,
                expirySeconds: isNames ? 0 : Sample.expirySeconds, operation: operation,
                mayBeNew: Bool.random(using: &self),
                items: fields.map { field in
                    // A name's field holds the same wherever it is written, and is no cell's.
                    operation == .name
                        ? BatchEntry.Item(field: [0x67] + field, value: 1)
                        : BatchEntry.Item(
                            field: operation == .add ? [0x30] + field : field,
                            value: operation == .child ? 0 : values[Int.random(in: 0..<9, using: &self)])
                })
        }
    }
}
