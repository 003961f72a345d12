import HailCore
import HailSeal
import HailWire

@testable import HailAggregate

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
    /// Values that had something folded, once a flush and shard.
    private(set) var foldedValues = 0
    private var sequences = [UInt64](repeating: 1, count: 256)
    private let buffer = LineBuffer()
    /// The clock for gauges that bring no time.
    var nowMillis: Int64 = 0
    var gaugeSign = GaugeSign.auto
    /// Whether counters go as they do beside other kinds, entry by entry in `Draft`.
    var isByDraft = false

    init(
        ladder: Ladder, sketches: [Resolution] = [], laneCount: Int = 1, rules: FanOut.Rules = FanOut.Rules(),
        valueLimit: Int = .max, recordLimit: Int = .max
    ) {
        book = CellBook(
            ladder: ladder, sketches: sketches, recordLimit: recordLimit, valueLimit: valueLimit,
            digester: NameDigest.blake2b)
        pending = PendingCells(book: book, rules: rules, namer: SeriesNameParser.namer)
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
        Array(text.utf8).withUnsafeBufferPointer { scan($0, lane: lane) }
    }

    private func scan(_ text: UnsafeBufferPointer<UInt8>, lane: Int) -> [LineError] {
        let table = lanes[lane].table
        var refused: [LineError] = []
        LineScanner(seed: 11, gaugeSign: gaugeSign).scan(text, into: buffer)
        for position in 0..<buffer.lineCount {
            if let error = buffer.lines[position].error { refused.append(error) }
        }
        let finestSeconds = book.ladder.finest.widthSeconds
        buffer.hashMembers(NameDigest.blake2b)
        table.add(buffer, finestSeconds: finestSeconds, nowMillis: nowMillis) { line in
            do throws(LineError) {
                let identity = buffer.identity(of: line)
                let name = try SeriesNameParser.parse(identity)
                let index = table.insert(identity, count: identity.count, hash: line.hash, name: name)
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
        for shard in UInt8.min...UInt8.max where !pending.isEmpty(shard: shard) {
            var batches: [Batch] = []
            let build = isByDraft ? builder.buildByDraft : builder.build
            foldedValues += build(pending.take(shard: shard), Shard(shard), sequences[Int(shard)]) { encoded in
                batches += [Batch(decoding: encoded.bytes[...])].compactMap { $0 }
            }
            sequences[Int(shard)] += UInt64(batches.count)
            all += batches
        }
        return all
    }

    /// The same, with the store asked what it admits.
    func flush(nowSeconds: Int64, asking model: inout AdmissionModel, cellLimit: Int = 2_000) -> [Batch] {
        for shard in UInt8.min...UInt8.max where !pending.isEmpty(shard: shard) {
            while let ask = pending.ask(shard: shard, nowSeconds: nowSeconds) {
                pending.take(model.answer(ask), of: ask)
            }
        }
        return flush(nowSeconds: nowSeconds, cellLimit: cellLimit)
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
