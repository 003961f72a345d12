import HailCore
import Testing

@testable import HailStore

@Suite("Merging in the spool")
struct SpoolMergingTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func waiting(_ id: UInt64, bytes: Int = 100, width: Int64 = 0) -> SpoolMerging.Waiting {
        SpoolMerging.Waiting(
            id: id, body: SpoolLocation(segment: 1, offsetBytes: 0, byteCount: bytes, checksum: 0),
            startSeconds: Int64(id), eventCount: 1, widthSeconds: width)
    }

    @Test("leaves few windows of any number, all of them in order, and never merges fewer than sixteen")
    func generations() {
        var merging = SpoolMerging(widths: [10, 60], limitBytes: .max)
        var held: [UInt64: [UInt64]] = [:]
        for id in UInt64(1)...10_000 {
            merging.add(waiting(id))
            held[id] = [id]
            while let (run, width) = merging.next(isCrowded: false, room: .max) {
                #expect(width == 10 && run.count == 16)
                let made = id * 100_000 + UInt64(run.lowerBound)
                held[made] = merging.waiting[run].flatMap { held[$0.id] ?? [] }
                merging.replace(run, with: waiting(made, width: 10))
            }
            #expect(merging.waiting.count <= 4 * 15)
        }
        #expect(merging.waiting.flatMap { held[$0.id] ?? [] } == Array(1...10_000))
    }

    @Test("folds what is crowded into one width after the other, and stops at the last")
    func crowded() {
        var merging = SpoolMerging(widths: [10, 60, 3_600], limitBytes: .max)
        for id in UInt64(1)...9 { merging.add(waiting(id, bytes: 1_000)) }
        var widths: [Int64] = []
        var runs: [Int] = []
        while let (run, width) = merging.next(isCrowded: true, room: 5_000) {
            widths.append(width)
            runs.append(run.count)
            merging.replace(run, with: waiting(100 + UInt64(runs.count), bytes: 2_000, width: width))
        }
        #expect(widths == [10, 10, 10, 60, 3_600])
        #expect(runs == [5, 4, 2, 1, 1])
        #expect(merging.waiting.map(\.widthSeconds) == [3_600])
        merging.remove([merging.waiting[0].id])
        merging.add(waiting(1))
        let anew = merging.next(isCrowded: true, room: 5_000)
        #expect(anew?.widthSeconds == 10, "what comes later begins anew")
    }

    @Test("merges nothing that there is no room for")
    func room() {
        var merging = SpoolMerging(widths: [10], limitBytes: .max)
        for id in UInt64(1)...20 { merging.add(waiting(id, bytes: id == 1 ? 900 : 100)) }
        let runs = [(true, 250), (true, 50), (false, 950)].map { merging.next(isCrowded: $0.0, room: $0.1)?.run }
        #expect(runs == [1..<3, nil, nil])
    }

    private func window(_ id: UInt64, shards: [UInt8], isMergeable: Bool = true) -> WindowRecord {
        WindowRecord(
            id: id, startSeconds: Int64(id), eventCount: id, residual: ShardSet(shards.map { Shard($0) }),
            body: Array("<\(id)>".utf8), isMergeable: isMergeable)
    }

    @Test("leaves windows alone that are to be kept apart")
    func keptApart() throws {
        let spool = try Spool(folder: folder.path, limitBytes: 1 << 20, widths: [10], nowSeconds: 1_000)
        for id in UInt64(1)...17 {
            _ = try spool.append(windows: [window(id, shards: [3])], batches: [], nowSeconds: 1_000)
        }
        spool.keepApart([2])
        #expect(try spool.mergeWaiting(id: 99, nowSeconds: 1_001) { _, _ in [1] } == [1] + Array(3...17))
    }

    @Test("puts one window in the place of sixteen, on disk and after a restart, and leaves the others alone")
    func merges() throws {
        let spool = try Spool(folder: folder.path, limitBytes: 1 << 20, widths: [10], nowSeconds: 1_000)
        _ = try spool.append(windows: [window(500, shards: [9], isMergeable: false)], batches: [], nowSeconds: 1_000)
        let split = Sample.batch(1, shard: Shard(3), covers: [17])
        for id in UInt64(1)...17 {
            if id < 17 { #expect(try spool.mergeWaiting(id: 99, nowSeconds: 1_000) { _, _ in [] } == nil) }
            _ = try spool.append(windows: [window(id, shards: [UInt8(id % 3), 3])], batches: [], nowSeconds: 1_000)
        }
        // A part of this one has a number: it goes on alone.
        _ = try spool.append(windows: [], batches: [(BatchHeader(split), split.encoded)], nowSeconds: 1_000)
        let replaced = try spool.mergeWaiting(id: 99, nowSeconds: 1_001) { bodies, width in
            #expect(width == 10 && bodies.map(\.startSeconds) == (1...16).map { Int64($0) })
            return bodies.flatMap(\.bytes)
        }
        #expect(replaced == Array(1...16))

        let again = try Spool(folder: folder.path, limitBytes: 1 << 20, nowSeconds: 1_002)
        let windows = again.recovered.windows
        #expect(windows.map(\.id) == [500, 17, 99])
        #expect(windows.map(\.eventCount) == [500, 17, 136])
        #expect(windows.map { $0.uncovered.shards.map(\.number) } == [[9], [2], [0, 1, 2, 3]])
        let body = try #require(windows.last.flatMap { again.read($0.body) })
        #expect(body == (1...16).flatMap { Array("<\($0)>".utf8) })
        for shard in [0, 1, 2, 3] as [UInt8] { #expect(again.owes(window: 99, to: Shard(shard))) }
        #expect(!again.owes(window: 1, to: Shard(3)))
    }

    @Test("goes on for ever in a spool that is full of the same names, and gives up widths, not names")
    func full() throws {
        let spool = try Spool(folder: folder.path, limitBytes: 256 << 10, widths: [10, 60], nowSeconds: 1_000)
        var refused = 0
        var widths: [Int64] = []
        for id in UInt64(1)...500 {
            var record = window(id, shards: [3])
            record.body = [UInt8](repeating: UInt8(truncatingIfNeeded: id / 10), count: 4_000)
            do { _ = try spool.append(windows: [record], batches: [], nowSeconds: Int64(id)) } catch { refused += 1 }
            while try spool.mergeWaiting(
                id: 10_000 + UInt64(widths.count), nowSeconds: Int64(id),
                merge: { bodies, width in
                    widths.append(width)
                    // As many as there are different ones, or all alike.
                    return width == 60
                        ? [UInt8](repeating: 0, count: 4_000)
                        : Set(bodies.map(\.bytes)).sorted { $0[0] < $1[0] }.flatMap { $0 }
                }) != nil
            {
                _ = spool.trim(nowSeconds: Int64(id))
            }
            #expect(spool.byteCount <= 256 << 10)
        }
        #expect(refused == 0)
        #expect(widths.first == 10 && widths.last == 60)
    }

    @Test("frees the disk of what was merged, and of what is given up")
    func frees() throws {
        let spool = try Spool(folder: folder.path, limitBytes: 1 << 20, widths: [10], nowSeconds: 1_000)
        for id in UInt64(1)...16 {
            _ = try spool.append(windows: [window(id, shards: [3])], batches: [], nowSeconds: 1_000)
        }
        let before = spool.byteCount
        _ = try spool.mergeWaiting(id: 99, nowSeconds: 1_001) { _, _ in [1] }
        #expect(spool.trim(nowSeconds: 1_002) == [1])
        #expect(spool.byteCount < before / 4)
        spool.giveUp([99], shard: Shard(3))
        #expect(spool.trim(nowSeconds: 1_003) == [2])
        #expect(spool.byteCount == 0 && folder.contents() == [])
    }
}
