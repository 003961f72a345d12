import HailAggregate
import HailCore
import HailSeal
import HailWire

@testable import HailAgent
@testable import HailStore

/// A segment of the spool, whatever its bytes; the first byte says what the rest is.
enum SpoolTarget {
    static let ladder = try? Ladder(parsing: Ladder.standardText)

    static func run(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        switch first % 4 {
        case 0: segment(rest)
        case 1:
            // Past the checksum, which libFuzzer would have to guess.
            guard let type = rest.first else { return }
            record(type, Array(rest.dropFirst()))
        case 2: batch(rest)
        default:
            guard let body = WindowBody(decoding: rest) else { return }
            claim(body.encoded == rest, "a body is written otherwise than it was read")
            for start in [0, LineTarget.now, .max, .min] { _ = rebuild(rest, startSeconds: start) }
        }
    }

    private static func segment(_ bytes: [UInt8]) {
        let segment = SpoolSegment(parsing: bytes)
        claim(segment.goodBytes <= bytes.count, "more is good than there is")
        claim((segment.end == .clean) == (segment.goodBytes == bytes.count && bytes.count >= 20), "a wrong end")
        if segment.goodBytes > 0 {
            let written =
                SpoolSegment.header(createdSeconds: segment.createdSeconds)
                + segment.records.flatMap { $0.record.encoded.bytes }
            claim(written == Array(bytes.prefix(segment.goodBytes)), "a segment is written otherwise")
        }
        for now in [0, LineTarget.now] {
            var replay = SpoolReplay()
            replay.take(1, bytes, segment)
            let recovery = replay.finish(nowSeconds: now).recovery
            guard now == LineTarget.now else { continue }
            for window in recovery.windows {
                let body = bytes[window.body.offsetBytes..<(window.body.offsetBytes + window.body.byteCount)]
                _ = rebuild(Array(body), startSeconds: window.startSeconds)
            }
        }
    }

    private static func record(_ type: UInt8, _ payload: [UInt8]) {
        guard let (record, offsets) = SpoolRecord.decode(type: type, payload: payload[...]) else { return }
        let (encoded, encodedOffsets) = record.encoded
        claim(Array(encoded.dropFirst(SpoolRecord.headBytes)) == payload, "a record is written otherwise")
        claim(
            encodedOffsets.batches == offsets.batches.map { $0 + SpoolRecord.headBytes }
                && encodedOffsets.bodies == offsets.bodies.map { $0 + SpoolRecord.headBytes }, "parts lie elsewhere")
        segment(SpoolSegment.header(createdSeconds: LineTarget.now) + encoded)
    }

    private static func batch(_ bytes: [UInt8]) {
        let batch = Batch(decoding: bytes[...])
        if let batch, bytes.first == Batch.version {
            claim(batch.encoded == bytes, "a batch is written otherwise than it was read")
        }
        var commands = PlainCommands()
        let isPlain = batch?.isPlain ?? false
        let shard = batch?.shard ?? Shard(bytes.count > 1 ? bytes[1] : 0)
        claim(
            commands.add(bytes, shard: shard, .apply, isEveryKeyDated: false) == isPlain,
            "a transaction takes other batches than the plain ones")
    }

    /// The window that a body of the spool stands for, and the cells it makes; nil where it makes no sense.
    static func rebuild(_ body: [UInt8], startSeconds: Int64) -> (body: WindowBody, cells: [String])? {
        guard let ladder else { return nil }
        var rebuild = WindowRebuild(scanner: LineScanner(seed: 7), ladder: ladder)
        let window = rebuild.window(
            SpoolRecovery.Window(
                id: 1, startSeconds: startSeconds, eventCount: 1, uncovered: ShardSet([Shard(0)]), outstanding: [],
                body: SpoolLocation(segment: 1, offsetBytes: 0, byteCount: body.count, checksum: 0)),
            holding: body)
        return window.map { fold($0) }
    }

    /// What the flush queue makes of a window; the cells sorted, since they have no order.
    static func fold(_ window: ClosedWindow) -> (body: WindowBody, cells: [String]) {
        guard let ladder else { return (WindowBody(condition: nil, series: []), []) }
        let book = CellBook(ladder: ladder, sketches: ladder.resolutions, digester: NameDigest.blake2b)
        let pending = PendingCells(book: book, namer: SeriesNameParser.namer)
        let body = pending.body(of: window)
        var cells: [String] = []
        let builder = BatchBuilder(book: book, agent: Digest(high: 1, low: 2), nowSeconds: LineTarget.now)
        for number in pending.fold(window).sorted() {
            let made = builder.batches(of: pending.take(shard: number), shard: Shard(number), firstSequence: 1)
            for batch in made {
                claim(Batch(decoding: batch.bytes[...])?.encoded == batch.bytes, "a batch does not read back")
            }
            for entry in made.compactMap({ Batch(decoding: $0.bytes[...]) }).flatMap(\.groups).flatMap(\.entries) {
                let place = "\(entry.letter) \(entry.digest) \(entry.widthSeconds) \(entry.chunk) \(entry.operation)"
                for item in entry.items {
                    // A sum of squares depends on the order of its terms, by a last digit.
                    let end = entry.operation == .addFloat ? item.field.lastIndex(of: 0x20) : nil
                    cells.append("\(place) \(item.field[..<(end ?? item.field.endIndex)]) \(item.value)")
                }
            }
        }
        return (body, cells.sorted())
    }
}
