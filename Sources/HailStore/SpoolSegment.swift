import HailCore

/// A segment of the spool as its bytes say: a header, then records until the bytes end or stop making sense.
package struct SpoolSegment: Equatable, Sendable {
    /// A record and where it lies.
    package struct Placed: Equatable, Sendable {
        package let record: SpoolRecord
        /// From the start of the segment.
        package let offsets: SpoolRecord.Offsets
    }

    /// How the bytes end.
    package enum End: Equatable, Sendable {
        case clean
        /// A record that was being written when something died; it counts as never written.
        case torn
        /// Bytes that were good once, or belong to nobody.
        case damaged
    }

    package let createdSeconds: Int64
    package let records: [Placed]
    /// Bytes up to the end of the last good record.
    package let goodBytes: Int
    package let end: End

    package static let version: UInt32 = 1
    package static let headerBytes = 20
    private static let magic = Array("HWSPOOL\n".utf8)

    /// The first bytes of a segment.
    package static func header(createdSeconds: Int64) -> [UInt8] {
        var out = ByteWriter()
        out.put(magic)
        out.put(version)
        out.put(createdSeconds)
        return out.bytes
    }

    /// Reads a segment, whatever its bytes are.
    package init(parsing bytes: [UInt8]) {
        var records: [Placed] = []
        var good = 0
        var end = End.clean
        var created: Int64 = 0
        var header = ByteReader(bytes[...])
        if bytes.count < SpoolSegment.headerBytes {
            end = SpoolSegment.header(createdSeconds: 0).starts(with: bytes.prefix(12)) ? .torn : .damaged
        } else if header.bytes(8) == SpoolSegment.magic, header.uint32() == SpoolSegment.version,
            let time = header.uint64()
        {
            created = Int64(bitPattern: time)
            good = SpoolSegment.headerBytes
        } else {
            end = .damaged
        }
        while end == .clean, good < bytes.count {
            switch SpoolSegment.record(in: bytes, at: good) {
            case .record(let placed, let next):
                records.append(placed)
                good = next
            case .torn: end = .torn
            case .damaged: end = .damaged
            }
        }
        createdSeconds = created
        self.records = records
        goodBytes = good
        self.end = end
    }

    private enum Step {
        case record(Placed, next: Int)
        case torn
        case damaged
    }

    private static func record(in bytes: [UInt8], at start: Int) -> Step {
        let rest = bytes[start...]
        var input = ByteReader(rest)
        guard rest.count >= SpoolRecord.headBytes, let length = input.uint32(), let checksum = input.uint32(),
            let type = input.uint8()
        else { return .torn }
        // A file that grew before its bytes came reads as zeros to its end.
        if length == 0, rest.allSatisfy({ $0 == 0 }) { return .torn }
        guard length <= SpoolRecord.largestPayload else { return .damaged }
        let end = start + SpoolRecord.headBytes + Int(length)
        guard end <= bytes.count else { return .torn }
        let payload = bytes[(start + SpoolRecord.headBytes)..<end]
        guard Checksum.crc32c(bytes[(start + 8)..<end]) == checksum,
            let (record, offsets) = SpoolRecord.decode(type: type, payload: payload)
        else { return end == bytes.count ? .torn : .damaged }
        let base = start + SpoolRecord.headBytes
        let placed = Placed(
            record: record,
            offsets: SpoolRecord.Offsets(
                batches: offsets.batches.map { base + $0 }, bodies: offsets.bodies.map { base + $0 }))
        return .record(placed, next: end)
    }
}
