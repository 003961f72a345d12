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

    package init(id: UInt64, startSeconds: Int64, eventCount: UInt64, residual: ShardSet, body: [UInt8]) {
        self.id = id
        self.startSeconds = startSeconds
        self.eventCount = eventCount
        self.residual = residual
        self.body = body
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

    static let headBytes = 9
    /// No record is longer; a length beyond it is damage.
    package static let largestPayload = 1 << 28

    private static let flushType: UInt8 = 1
    private static let acknowledgedType: UInt8 = 2

    /// The record as it lies in a segment, and where in it each batch's bytes lie.
    package var encoded: (bytes: [UInt8], batchOffsets: [Int]) {
        var payload = ByteWriter()
        var offsets: [Int] = []
        let type: UInt8
        switch self {
        case .flush(let writtenSeconds, let windows, let batches):
            type = SpoolRecord.flushType
            payload.put(writtenSeconds)
            payload.put(UInt32(windows.count))
            for window in windows {
                payload.put(window.id)
                payload.put(window.startSeconds)
                payload.put(window.eventCount)
                payload.put(window.residual.bytes)
                payload.put(UInt32(window.body.count))
                payload.put(window.body)
            }
            payload.put(UInt32(batches.count))
            for batch in batches {
                payload.put(UInt32(batch.count))
                offsets.append(SpoolRecord.headBytes + payload.bytes.count)
                payload.put(batch)
            }
        case .acknowledged(let atSeconds, let batches):
            type = SpoolRecord.acknowledgedType
            payload.put(atSeconds)
            payload.put(UInt32(batches.count))
            for batch in batches {
                payload.put(batch.agent)
                payload.put(batch.shard.number)
                payload.put(batch.sequence)
            }
        }
        var record = ByteWriter()
        record.put(UInt32(payload.bytes.count))
        record.put(Checksum.crc32c([type] + payload.bytes))
        record.put(type)
        record.put(payload.bytes)
        return (record.bytes, offsets)
    }

    /// Reads a payload; `batchOffsets` count from its start.
    ///
    /// Nil for anything that `encoded` does not write.
    static func decode(type: UInt8, payload: ArraySlice<UInt8>) -> (record: SpoolRecord, batchOffsets: [Int])? {
        var input = ByteReader(payload)
        switch type {
        case flushType:
            guard let written = input.uint64(), let windowCount = input.uint32(),
                Int(windowCount) <= input.remaining / 60
            else { return nil }
            var windows: [WindowRecord] = []
            for _ in 0..<windowCount {
                guard let window = window(&input) else { return nil }
                windows.append(window)
            }
            guard let batchCount = input.uint32(), Int(batchCount) <= input.remaining / 4 else { return nil }
            var batches: [[UInt8]] = []
            var offsets: [Int] = []
            for _ in 0..<batchCount {
                guard let length = input.uint32() else { return nil }
                offsets.append(payload.count - input.remaining)
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
            return (.acknowledged(atSeconds: Int64(bitPattern: time), batches: batches), [])
        default:
            return nil
        }
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
