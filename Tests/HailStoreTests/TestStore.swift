import Glibc
import HailCore
import HailSeal
import Testing

@testable import HailStore

/// A folder of its own under the system's temporary one, removed with its owner.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/hailwhale-test-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        path = String(cString: made)
    }

    deinit { TestFolder.remove(path) }

    func contents() -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try #require(fopen(path + "/" + name, "w"))
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    func read(_ name: String) throws -> [UInt8] { try SpoolFile.contents(path + "/" + name) }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { remove(path + "/" + name) }
            }
            closedir(directory)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// A real server on a unix socket in a folder of its own; both end with the owner.
final class TestStore: Sendable {
    let folder: TestFolder
    let embedded: EmbeddedStore

    init() throws {
        folder = try TestFolder()
        // As the agent does: a connection whose server went must fail, not end the process.
        signal(SIGPIPE, SIG_IGN)
        embedded = EmbeddedStore(folder: folder.path)
        try embedded.ensureRunning()
    }

    deinit { embedded.stop() }

    var connector: StoreConnector { StoreConnector(url: .unix(path: embedded.socketPath, login: nil, database: 0)) }

    /// Runs one command on a connection of its own.
    @discardableResult
    func run(_ words: String...) throws -> StoreReply { try run(words.map { Array($0.utf8) }) }

    @discardableResult
    func run(_ arguments: [[UInt8]]) throws -> StoreReply {
        var connection = try connector.connect()
        return try connection.send(RedisCommand(arguments))
    }

    /// The process id of the server.
    func processID() throws -> pid_t {
        let info = try #require(try run("INFO", "server").text)
        let line = try #require(info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("process_id:") })
        return try #require(pid_t(line.dropFirst("process_id:".count)))
    }
}

/// Numbers that are the same in every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Batches for tests.
enum Sample {
    static let agent = Digest(high: 0xA0A1_A2A3_A4A5_A6A7, low: 0xA8A9_AAAB_ACAD_AEAF)
    static let otherAgent = Digest(high: 0xB0, low: 0xB1)
    static let shard = Shard(7)
    static let subject = Digest(high: 0x0701_0203_0405_0607, low: 0x0809_0A0B_0C0D_0E0F)
    /// In the year 2040.
    static let expirySeconds: UInt64 = 2_208_988_800

    static func entry(
        _ values: [Int64], letter: UInt8 = StoreKey.Letter.counterStrip, expirySeconds: UInt64 = Sample.expirySeconds,
        operation: BatchEntry.Operation = .add, page: UInt8 = 0, chunk: Int64 = 5
    ) -> BatchEntry {
        BatchEntry(
            letter: letter, digest: subject, widthSeconds: 60, chunk: chunk, page: page,
            expirySeconds: expirySeconds, operation: operation,
            items: values.enumerated().map { offset, value in
                BatchEntry.Item(field: PageField.strip(offset: offset, isMillionths: false), value: value)
            })
    }

    static func batch(
        _ sequence: UInt64, _ entries: [BatchEntry] = [Sample.entry([1])], agent: Digest = Sample.agent,
        shard: Shard = Sample.shard, covers: [UInt64] = [], condition: BatchGroup.Condition? = nil
    ) -> Batch {
        Batch(
            shard: shard, agent: agent, sequence: sequence,
            cellCount: UInt32(entries.filter { $0.operation == .add }.reduce(0) { $0 + $1.items.count }),
            covers: covers, groups: [BatchGroup(condition: condition, entries: entries)])
    }

    static var key: [UInt8] { entry([]).key(shard: shard) }

    static var guardKey: [UInt8] { StoreKey.guardKey(shard: shard, agent: agent) }
}
