import Dispatch
import Glibc
import HailCore
import Testing

@testable import HailStore

/// What a writer said, readable from the test's thread.
///
/// `@unchecked Sendable`: `events` is touched only while `queue` runs a block.
private final class Journal: @unchecked Sendable {
    private let queue = DispatchQueue(label: "journal")
    private var events: [StoreEvent] = []

    func note(_ event: StoreEvent) { queue.sync { events.append(event) } }

    var all: [StoreEvent] { queue.sync { events } }

    var acknowledged: [(BatchHeader, DeliveryOutcome)] {
        all.compactMap { if case .acknowledged(let header, let outcome) = $0 { (header, outcome) } else { nil } }
    }
}

@Suite("Store writer", .timeLimit(.minutes(1)))
struct StoreWriterTests {
    private let store: TestStore
    private let folder: TestFolder
    private let journal = Journal()

    init() throws {
        store = try TestStore()
        folder = try TestFolder()
    }

    private func writer(_ connector: StoreConnector? = nil, spool: SpoolReader? = nil) -> StoreWriter {
        let journal = journal
        let writer = StoreWriter(
            connector: connector ?? store.connector, agent: Sample.agent, spool: spool,
            surroundings: StoreWriter.Surroundings(random: { 0 }, unixSeconds: { Int64(time(nil)) }),
            report: { journal.note($0) })
        writer.start()
        return writer
    }

    private func submitted(_ batch: Batch, _ location: SpoolLocation? = nil) -> SubmittedBatch {
        SubmittedBatch(header: BatchHeader(batch), bytes: batch.encoded, location: location)
    }

    private func spooled(_ spool: Spool, _ batches: [Batch]) throws -> [SubmittedBatch] {
        let numbered = batches.map { (header: BatchHeader($0), bytes: $0.encoded) }
        let locations = try spool.append(windows: [], batches: numbered, nowSeconds: Int64(time(nil)))
        return zip(batches, locations).map { submitted($0, $1) }
    }

    private func total(_ shard: Shard = Sample.shard) throws -> Int64? {
        try store.run([Array("HGET".utf8), Sample.entry([]).key(shard: shard), Array("0".utf8)]).number
    }

    @Test("puts batches of many shards into the store and says so, each shard in order")
    func delivers() throws {
        let writer = writer()
        let batches = (1...20 as ClosedRange<UInt64>).flatMap { sequence in
            (0..<10 as Range<UInt8>).map { Sample.batch(sequence, shard: Shard($0), covers: [sequence]) }
        }
        writer.submit(batches.map { submitted($0) })
        #expect(writer.drain(deadline: .now() + 20))
        for shard in 0..<10 as Range<UInt8> {
            #expect(try total(Shard(shard)) == 20)
            let order = journal.acknowledged.map(\.0).filter { $0.shard == Shard(shard) }.map(\.identity.sequence)
            #expect(order == Array(1...20))
        }
        #expect(journal.all.first == .up)
        writer.close()
    }

    @Test("waits for a store that is away and goes on when it is back, counting once")
    func outage() throws {
        let writer = writer(StoreConnector(url: .unix(path: store.embedded.socketPath, login: nil, database: 0)))
        writer.submit([submitted(Sample.batch(1))])
        #expect(writer.drain(deadline: .now() + 20))
        store.embedded.stop()
        writer.submit([submitted(Sample.batch(2))])
        #expect(!writer.drain(deadline: .now() + 0.2))
        try store.embedded.ensureRunning()
        #expect(writer.drain(deadline: .now() + 20))
        #expect(try total() == 2)
        let isDown = journal.all.contains { if case .down = $0 { true } else { false } }
        #expect(isDown && journal.all.contains(.retried(batches: 1)))
        #expect(journal.all.filter { $0 == .up }.count == 2)
        writer.close()
    }

    @Test("starts an embedded store again that was killed")
    func embeddedKilled() throws {
        let writer = writer(StoreConnector(url: .embedded, embedded: store.embedded))
        writer.submit([submitted(Sample.batch(1))])
        #expect(writer.drain(deadline: .now() + 20))
        kill(try store.processID(), SIGKILL)
        writer.submit([submitted(Sample.batch(2))])
        #expect(writer.drain(deadline: .now() + 20))
        #expect(try total() == 2)
        writer.close()
    }

    @Test("counts a batch once whose reply was lost")
    func lostReply() throws {
        var connection = try store.connector.connect()
        guard case .bytes(let hash) = try connection.send(RedisCommand("SCRIPT", "LOAD", FlushScript.source)) else {
            throw StoreError.unexpectedReply(command: "SCRIPT LOAD")
        }
        _ = try connection.send(FlushScript.command(for: Sample.batch(1), mode: .ordered, scriptHash: hash))
        let writer = writer()
        writer.submit([submitted(Sample.batch(1)), submitted(Sample.batch(2))])
        #expect(writer.drain(deadline: .now() + 20))
        #expect(journal.acknowledged.first?.1 == .duplicate)
        #expect(try total() == 2)
        writer.close()
    }

    @Test("loads its script again when the store forgot it")
    func scriptFlush() throws {
        let writer = writer()
        writer.submit([submitted(Sample.batch(1))])
        #expect(writer.drain(deadline: .now() + 20))
        try store.run("SCRIPT", "FLUSH")
        writer.submit([submitted(Sample.batch(2))])
        #expect(writer.drain(deadline: .now() + 20))
        #expect(try total() == 2)
        writer.close()
    }

    @Test("sends everything again after FLUSHALL while the spool reaches back to the first batch")
    func flushAllWithTail() throws {
        let spool = try Spool(folder: folder.path, limitBytes: 1 << 20, nowSeconds: Int64(time(nil)))
        let writer = writer(spool: spool.reader)
        writer.submit(try spooled(spool, (1...5).map { Sample.batch($0) }))
        #expect(writer.drain(deadline: .now() + 20))
        try store.run("FLUSHALL")
        writer.submit(try spooled(spool, [Sample.batch(6)]))
        #expect(writer.drain(deadline: .now() + 20))
        #expect(try total() == 6)
        #expect(journal.acknowledged.filter { $0.1 == .resent }.count == 5)
        writer.close()
    }

    @Test("counts as reverted what FLUSHALL took and the spool does not have any more, and goes on")
    func flushAllWithoutTail() throws {
        let spool = try Spool(folder: folder.path, limitBytes: 1 << 20, nowSeconds: Int64(time(nil)))
        let writer = writer(spool: spool.reader)
        writer.submit(try spooled(spool, (1...5).map { Sample.batch($0) }))
        #expect(writer.drain(deadline: .now() + 20))
        writer.forget(segments: [1])
        try store.run("FLUSHALL")
        writer.submit(try spooled(spool, [Sample.batch(6), Sample.batch(7)]))
        #expect(writer.drain(deadline: .now() + 20))
        #expect(try total() == 2)
        let lost = journal.all.filter {
            if case .reverted(let last, 5) = $0 { last.shard == Sample.shard } else { false }
        }
        #expect(lost.count == 1)
        writer.close()
    }

    @Test("mends a store that went back while nothing was sent, as soon as it is connected to again")
    func restored() throws {
        let spool = try Spool(folder: folder.path, limitBytes: 1 << 20, nowSeconds: Int64(time(nil)))
        let writer = writer(spool: spool.reader)
        writer.submit(try spooled(spool, (1...3).map { Sample.batch($0) }))
        #expect(writer.drain(deadline: .now() + 20))
        try store.run([Array("SET".utf8), Sample.guardKey, Array("1".utf8)])
        try store.run([Array("HSET".utf8), Sample.key, Array("0".utf8), Array("1".utf8)])
        try store.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        writer.probe()
        while journal.acknowledged.filter({ $0.1 == .resent }).count < 2 { usleep(2_000) }
        #expect(try total() == 3)
        writer.close()
    }

    @Test("takes up what an agent left behind, under its id, and lets that id's guards go")
    func recovered() throws {
        let now = Int64(time(nil))
        var left: Spool? = try Spool(folder: folder.path, limitBytes: 1 << 20, nowSeconds: now)
        let batches = (1...3).map { Sample.batch($0, agent: Sample.otherAgent) }
        let numbered = batches.map { (header: BatchHeader($0), bytes: $0.encoded) }
        #expect(try left?.append(windows: [], batches: numbered, nowSeconds: now).count == 3)
        left = nil
        let spool = try Spool(folder: folder.path, limitBytes: 1 << 20, nowSeconds: now)
        let writer = writer(spool: spool.reader)
        writer.start(recovered: spool.recovered.batches)
        #expect(writer.drain(deadline: .now() + 20))
        #expect(try total() == 3)
        let guardKey = StoreKey.guardKey(shard: Sample.shard, agent: Sample.otherAgent)
        let ttl = { try #require(try store.run([Array("TTL".utf8), guardKey]).number) }
        // A batch that may be sent again must find its guard.
        writer.probe()
        writer.submit([submitted(Sample.batch(1))])
        #expect(writer.drain(deadline: .now() + 20))
        #expect(try ttl() > 86_400)
        writer.forget(segments: [1])
        while try ttl() > 3_600 { usleep(2_000) }
        #expect(try ttl() > 3_500)
        writer.close()
    }

    @Test("mends a store that was emptied while nothing was sent, when it is next asked")
    func emptiedInSilence() throws {
        let spool = try Spool(folder: folder.path, limitBytes: 1 << 20, nowSeconds: Int64(time(nil)))
        let writer = writer(spool: spool.reader)
        writer.submit(try spooled(spool, (1...3).map { Sample.batch($0) }))
        #expect(writer.drain(deadline: .now() + 20))
        try store.run("FLUSHALL")
        writer.probe()
        while journal.acknowledged.filter({ $0.1 == .resent }).count < 3 { usleep(2_000) }
        #expect(try total() == 3)
        writer.close()
    }

    @Test("holds its batches while the store refuses to write, and says why")
    func outOfMemory() throws {
        let writer = writer()
        try store.run("CONFIG", "SET", "maxmemory", "1")
        writer.submit([submitted(Sample.batch(1))])
        #expect(!writer.drain(deadline: .now() + 0.2))
        let reasons = journal.all.compactMap { if case .down(let reason) = $0 { reason } else { nil } }
        #expect(reasons.count == 1 && reasons[0].hasPrefix("OOM"))
        try store.run("CONFIG", "SET", "maxmemory", "0")
        #expect(writer.drain(deadline: .now() + 20))
        #expect(try total() == 1)
        #expect(journal.acknowledged.map(\.1).count == 1)
        writer.close()
    }

    @Test("stops one shard alone when a batch of it cannot be applied")
    func stopsOneShard() throws {
        try store.run([Array("SET".utf8), Sample.guardKey, Array("x".utf8)])
        let writer = writer()
        writer.submit([submitted(Sample.batch(1)), submitted(Sample.batch(1, shard: Shard(9)))])
        #expect(writer.drain(deadline: .now() + 20))
        #expect(journal.all.contains(.shardStopped(Sample.shard, reason: "malformed: the guard does not read")))
        #expect(try total() == nil)
        #expect(try total(Shard(9)) == 1)
        writer.close()
    }

    @Test("says which batch is lost when its bytes are nowhere")
    func bytesGone() throws {
        let writer = writer()
        let batch = Sample.batch(1)
        writer.submit([SubmittedBatch(header: BatchHeader(batch), bytes: [1, 2, 3], location: nil)])
        #expect(writer.drain(deadline: .now() + 20))
        #expect(journal.all.contains(.lost(BatchHeader(batch))))
        writer.close()
    }
}

@Suite("Backoff")
struct BackoffTests {
    @Test("doubles from 50 ms to 2 s, half of it left to chance, and starts over")
    func waits() {
        var backoff = Backoff()
        let longest = (0..<8).map { _ in backoff.nextMilliseconds(random: 0) * 2 }
        #expect(longest == [50, 100, 200, 400, 800, 1_600, 2_000, 2_000])
        backoff.reset()
        #expect((25...50).contains(backoff.nextMilliseconds(random: .max)))
    }
}
