import FoundationEssentials
import HailCore
import Testing

@testable import HailStore

@Suite("Spool vectors")
struct SpoolVectorTests {
    struct Vector: Decodable {
        struct Batch: Decodable {
            let agent: String
            let shard: UInt8
            let sequence: UInt64
            let acknowledgedSeconds: Int64?
        }

        struct Window: Decodable {
            let id: String
            let startSeconds: Int64
            let eventCount: UInt64
            let uncovered: [UInt8]
            let outstanding: [[UInt64]]
            let body: String
        }

        let name: String
        let hex: String
        let end: String
        let batches: [Batch]
        let windows: [Window]
    }

    @Test("a segment of any time is read", arguments: [Int64.min, .max, 0])
    func times(createdSeconds: Int64) {
        let image = SpoolSegment.header(createdSeconds: createdSeconds)
        var replay = SpoolReplay()
        replay.take(1, image, SpoolSegment(parsing: image))
        let (recovery, aside) = replay.finish(nowSeconds: 1_700_000_000)
        #expect(recovery == SpoolRecovery() && aside == [])
    }

    @Test("a segment is read as published, and what was read is written the same")
    func vectors() throws {
        let cases = try VectorFile.cases(of: "spool", as: Vector.self)
        #expect(cases.count >= 8)
        for vector in cases {
            let image = try bytes(hex: vector.hex)
            let segment = SpoolSegment(parsing: image)
            #expect("\(segment.end)" == vector.end, "\(vector.name)")

            var replay = SpoolReplay()
            replay.take(1, image, segment)
            let (recovery, aside) = replay.finish(nowSeconds: 1_700_000_100)
            #expect(aside == [])
            #expect(
                recovery.batches.map(\.header.identity.shard.number) == vector.batches.map(\.shard), "\(vector.name)")
            #expect(recovery.batches.map(\.header.identity.sequence) == vector.batches.map(\.sequence))
            #expect(recovery.batches.map(\.acknowledgedSeconds) == vector.batches.map(\.acknowledgedSeconds))
            #expect(recovery.windows.map { String($0.id) } == vector.windows.map(\.id), "\(vector.name)")
            #expect(recovery.windows.map(\.startSeconds) == vector.windows.map(\.startSeconds))
            #expect(recovery.windows.map(\.eventCount) == vector.windows.map(\.eventCount))
            #expect(recovery.windows.map { $0.uncovered.shards.map(\.number) } == vector.windows.map(\.uncovered))
            let outstanding = recovery.windows.map { $0.outstanding.map { [UInt64($0.shard.number), $0.sequence] } }
            #expect(outstanding == vector.windows.map(\.outstanding), "\(vector.name)")
            let bodies = recovery.windows.map { window -> [UInt8] in
                Array(image[window.body.offsetBytes...].prefix(window.body.byteCount))
            }
            #expect(try bodies == vector.windows.map { try bytes(hex: $0.body) })

            guard segment.goodBytes > 0 else { continue }
            let written =
                SpoolSegment.header(createdSeconds: segment.createdSeconds)
                + segment.records.flatMap { $0.record.encoded.bytes }
            #expect(written == Array(image.prefix(segment.goodBytes)), "\(vector.name)")
        }
    }
}
