import HailCore

/// A window that closed, as the spool keeps it until all that it held is in the store.
package struct WindowRecord: Equatable, Sendable {
    /// Unique across restarts.
    package var id: UInt64
    package var startSeconds: Int64
    package var eventCount: UInt64
    /// The shards whose cells of this window were not in a batch yet when the record was written.
    package var residual: ShardSet
    /// What the window held for them, in the owner's own format.
    package var body: [UInt8]
    /// Whether it may be merged with others: it is whole, all its shards are residual, and it has no condition.
    ///
    /// Not a part of the record.
    package var isMergeable = false

    package init(
        id: UInt64, startSeconds: Int64, eventCount: UInt64, residual: ShardSet, body: [UInt8],
        isMergeable: Bool = false
    ) {
        self.id = id
        self.startSeconds = startSeconds
        self.eventCount = eventCount
        self.residual = residual
        self.body = body
        self.isMergeable = isMergeable
    }
}

/// One record of a spool segment.
///
/// `protocol/redis.md` has the layout, `protocol/vectors/spool.json` examples.
package enum SpoolRecord: Equatable, Sendable {
    /// One flush: written as a whole before any of its batches is sent, so a torn one counts as never made.
    case flush(writtenSeconds: Int64, windows: [WindowRecord], batches: [[UInt8]])
    /// Batches that the store acknowledged.
    case acknowledged(atSeconds: Int64, batches: [BatchIdentity])
    /// One window in the place of several that wait: from now on those count as never written.
    case merged(writtenSeconds: Int64, replaced: [UInt64], window: WindowRecord)

    static let headBytes = 9
    /// No record is longer; a length beyond it is damage.
    package static let largestPayload = 1 << 28

    private static let flushType: UInt8 = 1
    private static let acknowledgedType: UInt8 = 2
    private static let mergedType: UInt8 = 3

    /// Where in a record, or in a segment, the bytes of its batches and of its windows' bodies lie.
    package struct Offsets: Equatable, Sendable {
        package var batches: [Int] = []
        package var bodies: [Int] = []
    }

    /// The record as it lies in a segment, and where its parts lie in it.
    package var encoded: (bytes: [UInt8], offsets: Offsets) {
        var out = ByteWriter(reservingBytes: SpoolRecord.headBytes + byteCount)
        var offsets = Offsets()
        // Filled in at the end: the bytes are many, and lie here once.
        out.put([UInt8](repeating: 0, count: 8))
        switch self {
        case .flush(let writtenSeconds, let windows, let batches):
            out.put(SpoolRecord.flushType)
            out.put(writtenSeconds)
            out.put(UInt32(windows.count))
            for window in windows { SpoolRecord.encode(window, &out, &offsets) }
            out.put(UInt32(batches.count))
            for batch in batches {
                out.put(UInt32(batch.count))
                offsets.batches.append(out.bytes.count)
                out.put(batch)
            }
        case .acknowledged(let atSeconds, let batches):
            out.put(SpoolRecord.acknowledgedType)
            out.put(atSeconds)
            out.put(UInt32(batches.count))
            for batch in batches {
                out.put(batch.agent)
                out.put(batch.shard.number)
                out.put(batch.sequence)
            }
        case .merged(let writtenSeconds, let replaced, let window):
            out.put(SpoolRecord.mergedType)
            out.put(writtenSeconds)
            out.put(UInt32(replaced.count))
            for id in replaced { out.put(id) }
            SpoolRecord.encode(window, &out, &offsets)
        }
        out.fill(UInt32(out.bytes.count - SpoolRecord.headBytes), at: 0)
        out.fill(Checksum.crc32c(out.bytes[8...]), at: 4)
        return (out.bytes, offsets)
    }

    private static func encode(_ window: WindowRecord, _ out: inout ByteWriter, _ offsets: inout Offsets) {
        out.put(window.id)
        out.put(window.startSeconds)
        out.put(window.eventCount)
        out.put(window.residual.bytes)
        out.put(UInt32(window.body.count))
        offsets.bodies.append(out.bytes.count)
        out.put(window.body)
    }

    /// About how many bytes the payload has.
    private var byteCount: Int {
        switch self {
        case .flush(_, let windows, let batches):
            windows.reduce(16) { $0 + 60 + $1.body.count } + batches.reduce(0) { $0 + 4 + $1.count }
        case .acknowledged(_, let batches): 12 + 25 * batches.count
        case .merged(_, let replaced, let window): 72 + 8 * replaced.count + window.body.count
        }
    }

    /// Reads a payload; the offsets count from its start.
    ///
    /// Nil for anything that `encoded` does not write.
    static func decode(type: UInt8, payload: ArraySlice<UInt8>) -> (record: SpoolRecord, offsets: Offsets)? {
        var input = ByteReader(payload)
        switch type {
        case flushType:
            guard let written = input.uint64(), let windowCount = input.uint32(),
                Int(windowCount) <= input.remaining / 60
            else { return nil }
            var windows: [WindowRecord] = []
            var offsets = Offsets()
            for _ in 0..<windowCount {
                guard let window = window(&input) else { return nil }
                offsets.bodies.append(payload.count - input.remaining - window.body.count)
                windows.append(window)
            }
            guard let batchCount = input.uint32(), Int(batchCount) <= input.remaining / 4 else { return nil }
            var batches: [[UInt8]] = []
            for _ in 0..<batchCount {
                guard let length = input.uint32() else { return nil }
                offsets.batches.append(payload.count - input.remaining)
                guard let batch = input.bytes(Int(length)) else { return nil }
                batches.append(batch)
            }
            guard input.remaining == 0 else { return nil }
            let record = SpoolRecord.flush(
                writtenSeconds: Int64(bitPattern: written), windows: windows, batches: batches)
            return (record, offsets)
        case acknowledgedType:
            guard let time = input.uint64(), let count = input.uint32(), input.remaining == 25 * Int(count)
            else { return nil }
            var batches: [BatchIdentity] = []
            for _ in 0..<count {
                guard let agent = input.digest(), let shard = input.uint8(), let sequence = input.uint64()
                else { return nil }
                batches.append(BatchIdentity(agent: agent, shard: Shard(shard), sequence: sequence))
            }
            return (.acknowledged(atSeconds: Int64(bitPattern: time), batches: batches), Offsets())
        case mergedType: return merged(&input, payload)
        default:
            return nil
        }
    }

    private static func merged(
        _ input: inout ByteReader, _ payload: ArraySlice<UInt8>
    ) -> (record: SpoolRecord, offsets: Offsets)? {
        guard let written = input.uint64(), let count = input.uint32(), Int(count) <= input.remaining / 8 else {
            return nil
        }
        var replaced: [UInt64] = []
        for _ in 0..<count {
            guard let id = input.uint64() else { return nil }
            replaced.append(id)
        }
        guard let window = window(&input), input.remaining == 0 else { return nil }
        return (
            .merged(writtenSeconds: Int64(bitPattern: written), replaced: replaced, window: window),
            Offsets(bodies: [payload.count - window.body.count])
        )
    }

    private static func window(_ input: inout ByteReader) -> WindowRecord? {
        guard let id = input.uint64(), let start = input.uint64(), let events = input.uint64(),
            let set = input.bytes(32), let residual = ShardSet(bytes: set), let length = input.uint32(),
            let body = input.bytes(Int(length))
        else { return nil }
        return WindowRecord(
            id: id, startSeconds: Int64(bitPattern: start), eventCount: events, residual: residual, body: body)
    }
}
