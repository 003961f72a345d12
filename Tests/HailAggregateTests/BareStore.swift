import Dispatch
import Glibc
import HailCore
import HailStore
import Testing

/// A real redis-server of its own, which batches are brought to; it ends with its owner.
final class BareStore {
    private let embedded: EmbeddedStore
    private let connector: StoreConnector
    private let folder: String

    init() throws {
        // As the agent does: a connection whose server went must fail, not end the process.
        signal(SIGPIPE, SIG_IGN)
        var template = Array("/tmp/hailwhale-test-XXXXXX".utf8CString)
        folder = String(cString: try #require(mkdtemp(&template)))
        embedded = EmbeddedStore(folder: folder)
        try embedded.ensureRunning()
        connector = StoreConnector(url: .unix(path: embedded.socketPath, login: nil, database: 0))
    }

    deinit {
        embedded.stop()
        BareStore.remove(folder)
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

    /// Brings batches there and waits until all are in.
    func deliver(_ batches: [Batch], isPlain: Bool) throws {
        let writer = StoreWriter(
            connector: connector, agent: Flow.agent, spool: nil,
            surroundings: StoreWriter.Surroundings(random: { 0 }, unixSeconds: { Int64(time(nil)) }), report: { _ in })
        writer.start()
        writer.submit(
            batches.map { batch in
                let own = BatchHeader(batch)
                let header = BatchHeader(
                    identity: own.identity, cellCount: own.cellCount, covers: own.covers, isPlain: isPlain)
                return SubmittedBatch(header: header, bytes: batch.encoded, location: nil)
            })
        #expect(writer.drain(deadline: .now() + 30))
        writer.close()
    }

    private func send(_ name: String, _ words: [[UInt8]]) throws -> StoreReply {
        var connection = try connector.connect()
        return try connection.send(RedisCommand([Array(name.utf8)] + words))
    }

    /// How many batches went by script.
    var scriptCalls: Int {
        get throws {
            guard case .bytes(let info) = try send("INFO", [Array("commandstats".utf8)]) else { return 0 }
            return String(decoding: info, as: UTF8.self).contains("cmdstat_evalsha:") ? 1 : 0
        }
    }

    /// What every key holds, sorted, and when it expires.
    func content() throws -> [String: String] {
        guard case .array(let keys) = try send("KEYS", [Array("hw1:*".utf8)]) else { return [:] }
        var content: [String: String] = [:]
        for case .bytes(let key) in keys {
            let isSorted = String(decoding: key, as: UTF8.self).contains(":n:")
            let reply = try isSorted ? send("ZRANGE", [key, [0x30], Array("-1".utf8)]) : send("HGETALL", [key])
            guard case .array(let items) = reply else { continue }
            let words = items.map { item in if case .bytes(let bytes) = item { "\(bytes)" } else { "?" } }
            let step = isSorted ? 1 : 2
            let pairs = stride(from: 0, to: words.count, by: step).map { "\(words[$0..<min($0 + step, words.count)])" }
            let expiry = try send("EXPIRETIME", [key])
            content[String(decoding: key, as: UTF8.self)] = "\(pairs.sorted()) \(expiry)"
        }
        return content
    }
}
