import Glibc
import HailCore
import Testing

@testable import HailStore

@Suite("Spool")
struct SpoolTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func open(limitBytes: Int = 1 << 20, at seconds: Int64 = 1_000) throws -> Spool {
        try Spool(folder: folder.path, limitBytes: limitBytes, nowSeconds: seconds)
    }

    private func window(_ id: UInt64, residual: [UInt8] = [], events: UInt64 = 10) -> WindowRecord {
        WindowRecord(
            id: id, startSeconds: Int64(id) * 10, eventCount: events, residual: ShardSet(residual.map { Shard($0) }),
            body: Array("window \(id)".utf8))
    }

    private func numbered(
        _ sequence: UInt64, shard: UInt8 = 7, covers: [UInt64] = []
    ) -> (header: BatchHeader, bytes: [UInt8]) {
        let batch = Sample.batch(sequence, shard: Shard(shard), covers: covers)
        return (BatchHeader(batch), batch.encoded)
    }

    @Test("gives back what was appended, batch by batch, and after a restart what is owed")
    func recovers() throws {
        let spool = try open()
        #expect(spool.recovered == SpoolRecovery())
        let batches = [numbered(1, covers: [1]), numbered(1, shard: 8, covers: [1])]
        let locations = try spool.append(windows: [window(1, residual: [9])], batches: batches, nowSeconds: 1_000)
        #expect(locations.map { spool.read($0) } == batches.map(\.bytes))
        try spool.appendAcknowledged([batches[0].header.identity], nowSeconds: 1_001)

        let recovered = try open(at: 1_002).recovered
        #expect(recovered.batches.map(\.header) == batches.map(\.header))
        #expect(recovered.batches.map(\.acknowledgedSeconds) == [1_001, nil])
        #expect(recovered.batches.map(\.location) == locations)
        let owed = try #require(recovered.windows.first)
        #expect(owed.uncovered.shards == [Shard(9)])
        #expect(owed.outstanding == [batches[1].header.identity])
        #expect(spool.read(owed.body) == Array("window 1".utf8) && owed.eventCount == 10 && owed.startSeconds == 10)
        #expect(recovered.windows.count == 1 && recovered.damaged == [] && recovered.setAside == [])
    }

    @Test("owes nothing of a window once later batches cover its rest and are acknowledged")
    func covered() throws {
        let spool = try open()
        _ = try spool.append(windows: [window(1, residual: [3, 4])], batches: [], nowSeconds: 1_000)
        let rest = [numbered(1, shard: 3, covers: [1]), numbered(1, shard: 4, covers: [1])]
        _ = try spool.append(windows: [], batches: rest, nowSeconds: 1_001)
        #expect(try open().recovered.windows.map(\.outstanding) == [rest.map(\.header.identity)])
        try spool.appendAcknowledged(rest.map(\.header.identity), nowSeconds: 1_002)
        #expect(try open().recovered.windows == [])
    }

    @Test("deletes a segment thirty seconds after its last acknowledgement, and not before")
    func trims() throws {
        let spool = try open()
        let batch = numbered(1, covers: [1])
        _ = try spool.append(windows: [window(1)], batches: [batch], nowSeconds: 1_000)
        #expect(spool.trim(nowSeconds: 5_000) == [])
        try spool.appendAcknowledged([batch.header.identity], nowSeconds: 1_005)
        #expect(spool.trim(nowSeconds: 1_034) == [])
        #expect(spool.trim(nowSeconds: 1_035) == [1])
        #expect(spool.byteCount == 0)
        #expect(folder.contents() == [])
        _ = try spool.append(windows: [], batches: [numbered(2)], nowSeconds: 1_036)
        #expect(folder.contents() == ["00000002.log"])
    }

    @Test("is not held up by acknowledgements that lie ahead, from before the clock was set back")
    func trimsAfterClockWentBack() throws {
        let spool = try open()
        let batch = numbered(1)
        _ = try spool.append(windows: [], batches: [batch], nowSeconds: 5_000)
        try spool.appendAcknowledged([batch.header.identity], nowSeconds: 5_001)
        let again = try open(at: 1_400)
        #expect(again.trim(nowSeconds: 1_429) == [])
        #expect(again.trim(nowSeconds: 1_430) == [1])
    }

    @Test("keeps a window's segment until its rest is in batches, and the segment that says so as long")
    func trimKeepsWhatExplains() throws {
        let spool = try open()
        let stuck = numbered(1, shard: 1)
        _ = try spool.append(windows: [window(1, residual: [3])], batches: [stuck], nowSeconds: 1_000)
        let rest = numbered(1, shard: 3, covers: [1])
        _ = try spool.append(windows: [], batches: [rest], nowSeconds: 1_020)
        try spool.appendAcknowledged([rest.header.identity], nowSeconds: 1_021)
        // The second segment alone could go, but without it the first would seem to owe shard 3 again.
        #expect(spool.trim(nowSeconds: 2_000) == [])
        #expect(try open(at: 2_000).recovered.windows == [])
        try spool.appendAcknowledged([stuck.header.identity], nowSeconds: 2_000)
        #expect(spool.trim(nowSeconds: 2_030).contains(1))
        #expect(try open(at: 2_030).recovered.batches.filter { !$0.isAcknowledged } == [])
    }

    @Test("starts a new segment after ten seconds, and trims it on its own")
    func rolls() throws {
        let spool = try open()
        let first = numbered(1)
        let second = numbered(2)
        _ = try spool.append(windows: [], batches: [first], nowSeconds: 1_000)
        _ = try spool.append(windows: [], batches: [second], nowSeconds: 1_009)
        #expect(folder.contents() == ["00000001.log"])
        _ = try spool.append(windows: [], batches: [numbered(3)], nowSeconds: 1_010)
        #expect(folder.contents() == ["00000001.log", "00000002.log"])
        try spool.appendAcknowledged([first.header.identity, second.header.identity], nowSeconds: 1_011)
        #expect(spool.trim(nowSeconds: 1_041) == [1])
        #expect(folder.contents() == ["00000002.log"])
    }

    @Test("refuses what goes past its limit and takes more when there is room again")
    func limit() throws {
        let spool = try open(limitBytes: 300)
        let batch = numbered(1)
        _ = try spool.append(windows: [], batches: [batch], nowSeconds: 1_000)
        #expect(throws: StoreError.spoolFull(limitBytes: 300)) {
            try spool.append(windows: [window(1)], batches: [numbered(2), numbered(3)], nowSeconds: 1_000)
        }
        try spool.appendAcknowledged([batch.header.identity], nowSeconds: 1_000)
        spool.trim(nowSeconds: 1_030)
        _ = try spool.append(windows: [window(1)], batches: [numbered(2)], nowSeconds: 1_030)
    }

    @Test("takes batches alone past its limit, since what they cover could never leave it otherwise")
    func limitOfBatches() throws {
        let spool = try open(limitBytes: 300)
        _ = try spool.append(windows: [window(1, residual: [3])], batches: [], nowSeconds: 1_000)
        #expect(spool.owes(window: 1, to: Shard(3)))
        #expect(!spool.owes(window: 1, to: Shard(4)) && !spool.owes(window: 2, to: Shard(3)))
        #expect(throws: StoreError.spoolFull(limitBytes: 300)) {
            for id in 2...9 as ClosedRange<UInt64> {
                _ = try spool.append(windows: [window(id, residual: [3])], batches: [], nowSeconds: 1_000)
            }
        }
        for sequence in 1...9 as ClosedRange<UInt64> {
            _ = try spool.append(windows: [], batches: [numbered(sequence)], nowSeconds: 1_000)
        }
        #expect(spool.byteCount > 300)
    }

    @Test("sets records aside that are older than four days, by name, and replays the others")
    func setsAside() throws {
        let spool = try open()
        _ = try spool.append(windows: [window(1, residual: [3])], batches: [numbered(1)], nowSeconds: 1_000)
        _ = try spool.append(windows: [], batches: [numbered(2)], nowSeconds: 2_000)
        let late = 1_000 + SpoolRecovery.replayableSeconds + 1
        #expect(try open(at: late - 1).recovered.setAside == [])
        let recovered = try open(at: late).recovered
        #expect(recovered.setAside == ["00000001.log.aside"])
        #expect(recovered.batches.map(\.header.identity.sequence) == [2])
        #expect(recovered.windows == [])
        #expect(folder.contents() == ["00000001.log.aside", "00000002.log"])
        #expect(try open(at: late).recovered.setAside == [])
    }

    @Test("drops a torn tail wherever it is torn, and nothing before it")
    func tornTails() throws {
        let spool = try open()
        _ = try spool.append(windows: [window(1)], batches: [numbered(1, covers: [1])], nowSeconds: 1_000)
        let whole = spool.byteCount
        _ = try spool.append(windows: [window(2)], batches: [numbered(2, covers: [2])], nowSeconds: 1_000)
        let bytes = try folder.read("00000001.log")
        for length in 0..<bytes.count {
            try folder.write(Array(bytes.prefix(length)), to: "00000001.log")
            let again = try open()
            #expect(again.recovered.batches.count == (length >= whole ? 1 : 0), "torn at \(length)")
            #expect(again.recovered.windows.count == (length >= whole ? 1 : 0), "torn at \(length)")
            #expect(again.recovered.damaged == [], "torn at \(length)")
            #expect(
                try open().recovered
                    == SpoolRecovery(batches: again.recovered.batches, windows: again.recovered.windows))
        }
    }

    @Test("takes what lies before a damaged record, names the file, and keeps it when it is trimmed")
    func damage() throws {
        let spool = try open()
        _ = try spool.append(windows: [], batches: [numbered(1)], nowSeconds: 1_000)
        let place = spool.byteCount
        _ = try spool.append(windows: [], batches: [numbered(2)], nowSeconds: 1_000)
        _ = try spool.append(windows: [], batches: [numbered(3)], nowSeconds: 1_000)
        _ = try spool.append(windows: [], batches: [numbered(4)], nowSeconds: 1_020)
        var bytes = try folder.read("00000001.log")
        bytes[place + 40] ^= 1
        try folder.write(bytes, to: "00000001.log")
        let again = try open()
        #expect(again.recovered.batches.map(\.header.identity.sequence) == [1, 4])
        #expect(again.recovered.damaged == ["00000001.log"])
        try again.appendAcknowledged(again.recovered.batches.map(\.header.identity), nowSeconds: 1_030)
        again.trim(nowSeconds: 1_060)
        #expect(folder.contents().contains("00000001.log.damaged"))
    }

    @Test("reads any bytes without a trap", arguments: 0..<60)
    func mutated(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var image = SpoolSegment.header(createdSeconds: 5)
        image +=
            SpoolRecord.flush(
                writtenSeconds: 5, windows: [window(1, residual: [1, 200])], batches: [numbered(1, covers: [1]).bytes]
            ).encoded.bytes
        image += SpoolRecord.acknowledged(atSeconds: 6, batches: [numbered(1).header.identity]).encoded.bytes
        for _ in 0..<200 {
            var bytes = image
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch UInt.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
                }
            }
            let segment = SpoolSegment(parsing: bytes)
            #expect(segment.goodBytes <= bytes.count && segment.records.count <= 2)
            // Past the checksum: the payload's own parser must hold as well.
            for type in 0...3 as ClosedRange<UInt8> {
                let start = min(SpoolSegment.headerBytes + SpoolRecord.headBytes, bytes.count)
                _ = SpoolRecord.decode(type: type, payload: bytes[start...])
            }
            var replay = SpoolReplay()
            replay.take(1, bytes, segment)
            _ = replay.finish(nowSeconds: 10)
        }
    }

    @Test("cuts the file back when the disk is full, and writes on when it is not")
    func diskFull() throws {
        let spool = try open()
        _ = try spool.append(windows: [], batches: [numbered(1)], nowSeconds: 1_000)
        let before = spool.byteCount
        // A file-size limit fails a write in its middle, as a full disk does. It is the whole process's, so it is
        // far above what other tests write, and the segment is stretched up to it.
        let limit = 64 << 20
        truncate(folder.path + "/00000001.log", limit - 20)
        var old = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
        let handler = signal(SIGXFSZ, SIG_IGN)
        var low = rlimit(rlim_cur: rlim_t(limit), rlim_max: old.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &low)
        let failure = #expect(throws: StoreError.self) {
            try spool.append(windows: [], batches: [numbered(2)], nowSeconds: 1_001)
        }
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
        signal(SIGXFSZ, handler)
        guard case .spoolWrite = failure else {
            Issue.record("it failed with \(String(describing: failure))")
            return
        }
        #expect(try folder.read("00000001.log").count == before)
        #expect(spool.byteCount == before)
        _ = try spool.append(windows: [], batches: [numbered(2)], nowSeconds: 1_001)
        #expect(try open().recovered.batches.map(\.header.identity.sequence) == [1, 2])
    }

    @Test("leaves other files alone")
    func strangers() throws {
        for name in ["notes.txt", "1.log", "0000000x.log", "00000009.log.aside"] { try folder.write([1], to: name) }
        let spool = try open()
        _ = try spool.append(windows: [], batches: [numbered(1)], nowSeconds: 1_000)
        #expect(folder.contents() == ["00000009.log.aside", "0000000x.log", "00000010.log", "1.log", "notes.txt"])
    }
}

@Suite("Checksum")
struct ChecksumTests {
    private static let zeros = [UInt8](repeating: 0, count: 32)
    private static let ones = [UInt8](repeating: 0xFF, count: 32)
    private static let rising: [UInt8] = Array(0..<32)
    private static let known: [([UInt8], UInt32)] = [
        (Array("123456789".utf8), 0xE306_9283), ([], 0), (zeros, 0x8A91_36AA), (ones, 0x62A8_AB43),
        (rising, 0x46DD_794E), (rising.reversed(), 0x113F_DB5C),
    ]

    @Test("is CRC-32C as RFC 3720 has it", arguments: known)
    func values(bytes: [UInt8], value: UInt32) {
        #expect(Checksum.crc32c(bytes) == value)
        let behindAnother = [0] + bytes
        #expect(Checksum.crc32c(behindAnother[1...]) == value)
        #expect(bytes.withUnsafeBytes { Checksum.crc32cByTables($0) } == value)
    }
}

@Suite("Shard set")
struct ShardSetTests {
    @Test("holds what was put in, and its bytes say the same")
    func members() {
        let numbers: [UInt8] = [0, 1, 63, 64, 127, 128, 200, 255]
        var set = ShardSet(numbers.map { Shard($0) })
        #expect(set.shards.map(\.number) == numbers)
        #expect(set.count == 8 && set.contains(Shard(255)) && !set.contains(Shard(2)))
        #expect(ShardSet(bytes: set.bytes) == set)
        #expect(set.bytes[0] == 3 && set.bytes[31] == 0x80 && set.bytes[16] == 1)
        for number in numbers { set.remove(Shard(number)) }
        #expect(set.isEmpty && set == ShardSet())
    }

    @Test("is read from exactly 32 bytes", arguments: [0, 31, 33])
    func wrongLength(count: Int) { #expect(ShardSet(bytes: [UInt8](repeating: 0, count: count)) == nil) }
}
