import HailCore
import HailSeal
import HailWire
import Testing

@testable import HailAggregate

@Suite("Cell book")
struct CellBookTests {
    private static let now: Int64 = 1_700_000_000

    /// The window of a lane that began a new table.
    private func renewed(_ text: String, id: UInt64, ladder: Ladder) -> ClosedWindow {
        let other = Flow(ladder: ladder)
        other.add(text)
        let window = other.close(startSeconds: CellBookTests.now)
        return ClosedWindow(
            id: id, lane: 0, generation: 7, startSeconds: window.startSeconds, sums: window.sums,
            newSeries: window.newSeries, arena: window.arena)
    }

    @Test("forgets what no lane has any more, once nothing of it is pending")
    func compact() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder)
        flow.add((0..<500).map { "gone.s\($0).x:1|c|#host:h\($0)" }.joined(separator: "\n") + "\nkept.y:2|c|#a:b")
        _ = flow.pending.fold(flow.close(startSeconds: CellBookTests.now))
        _ = flow.pending.fold(renewed("kept.y:5|c|#a:b\nnew.z:1|c", id: 99, ladder: ladder))
        let before = flow.book.recordCount
        flow.pending.compact()
        #expect(flow.book.recordCount == before, "cells are pending under the old numbers")
        for shard in UInt8.min...UInt8.max { _ = flow.pending.take(shard: shard) }
        flow.pending.compact()
        // kept.y at _, a and a>b; new.z at _.
        #expect(flow.book.recordCount == 4)
        // `kept` and `new`, and the overall subject above them.
        #expect(flow.book.subjectCount == 3)
    }

    @Test("goes on counting the same records after it forgot others")
    func counting() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder)
        flow.add("gone.x:1|c|#q:r\nkept.y:2|c|#a:b")
        _ = flow.pending.fold(flow.close(startSeconds: CellBookTests.now))
        _ = flow.pending.fold(renewed("kept.y:5|c|#a:b", id: 99, ladder: ladder))
        for shard in UInt8.min...UInt8.max { _ = flow.pending.take(shard: shard) }
        flow.pending.compact()
        _ = flow.pending.fold(renewed("kept.y:5|c|#a:b", id: 100, ladder: ladder))
        let sums = flow.pending.shards.flatMap { $0.spans.values }.flatMap(\.sums)
        #expect(sums == [5_000_000, 5_000_000, 5_000_000])
    }

    @Test("counts on under the same records what a lane's new table took over, and forgets the rest")
    func carried() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder)
        flow.add("gone.x:1|c\ngone.t:1|ms|#q:r\nkept:y=2:z=3|c|#a:b")
        _ = flow.pending.fold(flow.close(startSeconds: CellBookTests.now))
        for _ in 0..<3 {
            flow.add("kept:y=2:z=3|c|#a:b")
            _ = flow.pending.fold(flow.close(startSeconds: CellBookTests.now))
        }
        let carried = flow.renew(windows: 2)
        #expect(carried.count == 1)
        for _ in 0..<2 {
            flow.add("kept:y=20:z=30|c|#a:b\nnew:y=1|c")
            _ = flow.pending.fold(flow.close(startSeconds: CellBookTests.now))
        }
        let kept = Digest.of("kept", ["a", "b"], "z", in: flow)
        #expect(kept == [Int128(4 * 3 + 2 * 30) * 1_000_000])
        for shard in UInt8.min...UInt8.max { _ = flow.pending.take(shard: shard) }
        flow.pending.compact()
        // kept at _, a and a>b by y, z and hits; new at _ by y and hits.
        #expect(flow.book.recordCount == 11)
        flow.add("kept:y=200:z=300|c|#a:b")
        _ = flow.pending.fold(flow.close(startSeconds: CellBookTests.now))
        #expect(Digest.of("kept", ["a", "b"], "z", in: flow) == [300_000_000])
    }

    @Test("counts new series without their tags once it is full")
    func full() throws {
        let book = CellBook(ladder: try Ladder(parsing: "10s:1h"), recordLimit: 3, digester: NameDigest.blake2b)
        let pending = PendingCells(book: book, namer: SeriesNameParser.namer)
        _ = pending.fold(
            renewed("s.x:1|c|#a:b\ns.x:1|c|#c:d,e:f>g\ns.x:1|c|#h:i", id: 1, ladder: book.ladder))
        #expect(book.recordCount == 3)
        #expect(pending.foldedSeriesCount == 2)
        #expect(pending.shards.flatMap { $0.spans.values }.flatMap(\.sums).contains(3_000_000))
    }
}

extension Digest {
    /// The pending sums of a counter.
    fileprivate static func of(_ subject: String, _ group: [String], _ metric: String, in flow: Flow) -> [Int128] {
        let name = CellName(subject: [subject], group: group, metric: metric, kind: .counter)
        let digest = NameDigest.blake2b(name.canonicalBytes)
        return flow.pending.shards.flatMap(\.spans.values).flatMap { zip($0.records, $0.sums) }
            .filter { flow.book.records[Int($0.0)].digest == digest }.map(\.1)
    }
}
