import HailAggregate
import HailCore
import HailSeal
import HailWire

/// Lines on their way through lanes, windows and pending cells into batches, without the queues.
final class Flow {
    struct Lane {
        var table = SeriesTable(limit: 100_000)
        var generation: UInt64 = 0
        var carried: [CarriedSeries] = []
    }

    static let agent = Digest(high: 1, low: 2)
    let book: CellBook
    let pending: PendingCells
    private(set) var lanes: [Lane]
    private var windowCount: UInt64 = 0
    private var sequences = [UInt64](repeating: 1, count: 256)
    private let buffer = LineBuffer()
    /// The clock for gauges that bring no time.
    var nowMillis: Int64 = 0

    init(
        ladder: Ladder, sketches: [Resolution] = [], laneCount: Int = 1, droppedDimensions: Set<Name> = [],
        recordLimit: Int = .max
    ) {
        book = CellBook(ladder: ladder, sketches: sketches, recordLimit: recordLimit, digester: NameDigest.blake2b)
        pending = PendingCells(book: book, droppedDimensions: droppedDimensions)
        lanes = (0..<laneCount).map { _ in Lane() }
    }

    /// Adds the lines of a text of any length; why lines were refused is returned.
    @discardableResult
    func add(_ text: String, lane: Int = 0) -> [LineError] {
        let lines = text.split(separator: "\n")
        return stride(from: 0, to: lines.count, by: 500).flatMap { start in
            scan(lines[start..<min(start + 500, lines.count)].joined(separator: "\n"), lane: lane)
        }
    }

    private func scan(_ text: String, lane: Int) -> [LineError] {
        let table = lanes[lane].table
        var refused: [LineError] = []
        Array(text.utf8).withUnsafeBufferPointer { LineScanner(seed: 11).scan($0, into: buffer) }
        for position in 0..<buffer.lineCount {
            if let error = buffer.lines[position].error { refused.append(error) }
        }
        let finestSeconds = book.ladder.finest.widthSeconds
        for position in 0..<buffer.lineCount
        where buffer.lines[position].kind == .set && buffer.lines[position].error == nil {
            let start = Int(buffer.lines[position].valuesStart)
            let member = UnsafeBufferPointer(
                start: buffer.members + Int(buffer.values[start]), count: Int(buffer.values[start + 1]))
            buffer.values[start] = Int64(bitPattern: NameDigest.blake2b(Array(member)).high)
        }
        table.add(buffer, finestSeconds: finestSeconds, nowMillis: nowMillis) { line in
            do throws(LineError) {
                let name = try SeriesNameParser.parse(buffer.identity(of: line))
                let index = table.insert(
                    buffer.identities + Int(line.identityStart), count: Int(line.identityLength), hash: line.hash,
                    name: name)
                table.add(line, of: buffer, to: index, finestSeconds: finestSeconds, nowMillis: nowMillis)
            } catch {
                line.error = error
                refused.append(error)
            }
        }
        return refused
    }

    /// Closes the window of a lane that began at the lane's second.
    func close(lane: Int = 0, startSeconds: Int64, condition: BatchGroup.Condition? = nil) -> ClosedWindow {
        let table = lanes[lane].table
        let (sums, newSeries) = table.close(nextSums: WindowSums())
        windowCount += 1
        defer { lanes[lane].carried = [] }
        return ClosedWindow(
            id: windowCount, lane: lane, generation: lanes[lane].generation, startSeconds: startSeconds, sums: sums,
            carried: lanes[lane].carried, newSeries: newSeries, arena: table.arena, condition: condition)
    }

    /// Begins a new table of a lane with what was in use lately.
    func renew(lane: Int = 0, windows: UInt32) -> [CarriedSeries] {
        (lanes[lane].table, lanes[lane].carried) = lanes[lane].table.renewed(windows: windows)
        lanes[lane].generation += 1
        return lanes[lane].carried
    }

    /// The batches of every shard that has something pending.
    func flush(nowSeconds: Int64, cellLimit: Int = Limits.cellsPerBatch) -> [Batch] {
        let builder = BatchBuilder(book: book, agent: Flow.agent, nowSeconds: nowSeconds, cellLimit: cellLimit)
        var all: [Batch] = []
        for shard in UInt8.min...UInt8.max where !pending.shards[Int(shard)].isEmpty {
            let batches = builder.batches(
                of: pending.take(shard: shard), shard: Shard(shard), firstSequence: sequences[Int(shard)])
            sequences[Int(shard)] += UInt64(batches.count)
            all += batches
        }
        return all
    }

    /// Adds lines as one window and returns its batches.
    func once(_ text: String, at seconds: Int64, condition: BatchGroup.Condition? = nil, cellLimit: Int = 2_000)
        -> [Batch]
    {
        add(text)
        _ = pending.fold(close(startSeconds: seconds, condition: condition))
        return flush(nowSeconds: seconds, cellLimit: cellLimit)
    }
}
