import HailAggregate
import HailCore
import HailStore
import HailWire

/// Makes a window again out of what the spool kept of it.
struct WindowRebuild {
    /// The lane number of windows that come from the spool.
    static let lane = -1

    let scanner: LineScanner
    let ladder: Ladder
    private var generation: UInt64 = 0

    init(scanner: LineScanner, ladder: Ladder) {
        self.scanner = scanner
        self.ladder = ladder
    }

    /// Seconds that a window or a value may have; far beyond them, arithmetic with times would overflow.
    private static let times: ClosedRange<Int64> = 0...(1 << 40)

    /// Whether the sums and samples are such as a series of this name can have.
    private static func isSound(_ series: WindowBody.Series, _ name: SeriesName) -> Bool {
        guard series.timeSeconds.map(times.contains) ?? true else { return false }
        guard name.kind != .counter else {
            return series.samples.isEmpty && (series.sums.isEmpty || name.metrics.count == series.sums.count)
        }
        return series.sums.isEmpty
            && series.samples.allSatisfy { sample in
                sample.slot < name.metrics.count
                    && (sample.startSeconds == ScannedLine.noTime || times.contains(sample.startSeconds))
            }
    }

    /// The window, or nil if its body makes no sense.
    mutating func window(_ recovered: SpoolRecovery.Window, from spool: SpoolReader) -> ClosedWindow? {
        spool.read(recovered.body).flatMap { window(recovered, holding: $0) }
    }

    mutating func window(_ recovered: SpoolRecovery.Window, holding bytes: [UInt8]) -> ClosedWindow? {
        guard let body = WindowBody(decoding: bytes), WindowRebuild.times.contains(recovered.startSeconds)
        else { return nil }
        let table = SeriesTable(limit: .max / 256)
        for series in body.series {
            guard let name = try? SeriesNameParser.parse(series.identity, isAgents: true),
                WindowRebuild.isSound(series, name)
            else { return nil }
            let count = series.identity.count
            series.identity.withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress else { return }
                let hash = scanner.hash(base, count: count)
                let index =
                    table.find(base, count: count, hash: hash)
                    ?? table.insert(base, count: count, hash: hash, name: name)
                if !series.sums.isEmpty { table.add(series.sums, to: index, timeSeconds: series.timeSeconds) }
                table.add(series.samples, to: index)
            }
        }
        let (sums, newSeries) = table.close(nextSums: WindowSums())
        generation += 1
        return ClosedWindow(
            id: recovered.id, lane: WindowRebuild.lane, generation: generation,
            startSeconds: recovered.startSeconds, sums: sums, newSeries: newSeries, arena: table.arena,
            widthSeconds: body.widthSeconds == 0 ? nil : body.widthSeconds, condition: body.condition)
    }

    /// One body of several windows' bodies, in buckets of so many seconds; nil if one makes no sense.
    static func merged(_ bodies: [(bytes: [UInt8], startSeconds: Int64)], widthSeconds: Int64) -> [UInt8]? {
        var merge = WindowMerge(widthSeconds: widthSeconds) { SeriesNameParser.kind(of: $0) }
        for (bytes, startSeconds) in bodies {
            guard let body = WindowBody(decoding: bytes), merge.add(body, startSeconds: startSeconds) else {
                return nil
            }
        }
        return merge.body.encoded
    }
}
