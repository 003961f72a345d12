import HailCore
import HailSeal
import Testing

/// One event as a test makes it up.
struct MadeEvent {
    var subject: [String]
    /// Millionths by metric, without the implied hits.
    var values: [(metric: String, micros: Int128)]
    var paths: [[String]]
    var timeSeconds: Int64?

    /// The event as a line of the event form; parts must need no escapes.
    var line: String {
        let values = values.map { "\($0.metric)=\(Amount(micros: $0.micros))" }.joined(separator: ":")
        let tags = paths.map { path in
            path[0] + (path.count > 1 ? ":" : "") + path.dropFirst().joined(separator: ">")
        }
        return subject.joined(separator: ".") + ":" + values + "|c"
            + (tags.isEmpty ? "" : "|#" + tags.joined(separator: ","))
            + (timeSeconds.map { "|T\($0)" } ?? "")
    }
}

/// What events must add up to: counted one by one, the slow and obvious way.
struct CountedEvents {
    struct Cell: Hashable {
        let subject: [String]
        let group: [String]
        let metric: String
        let level: Int
        let bucket: Int64
    }

    let ladder: Ladder
    private(set) var sums: [Cell: Int128] = [:]
    /// Full paths by subject, resolution and chunk.
    private(set) var fullPaths: Set<[String]> = []

    init(ladder: Ladder) { self.ladder = ladder }

    /// Counts an event at the second it happened in; `now` is when it is written.
    mutating func count(_ event: MadeEvent, at seconds: Int64, now: Int64, finestKept: Int64 = 0) {
        var values = event.values
        if !values.contains(where: { $0.metric == "hits" }) { values.append(("hits", 1_000_000)) }
        var groups: Set<[String]> = [[]]
        for path in event.paths {
            for depth in 1...path.count { groups.insert(Array(path.prefix(depth))) }
            fullPaths.insert(path)
        }
        for (level, resolution) in ladder.resolutions.enumerated() {
            let width = resolution.widthSeconds
            guard width == 0 || width >= finestKept else { continue }
            var bucket = width == 0 ? 0 : (seconds - ((seconds % width) + width) % width) / width
            var late: Int64 = 0
            if let zone = resolution.zone {
                func day(_ second: Int64) -> Int64 { (second + zone.offsetSeconds(at: second)) / 86_400 }
                // What was folded has forgotten when in the span it happened.
                let span = max(finestKept, 1)
                let first = seconds / span * span
                guard finestKept < .max, day(first) == day(first + span - 1) else { continue }
                (bucket, late) = (day(seconds) / (width / 86_400), 86_400)
            }
            guard width == 0 || (bucket + 1) * width + late + resolution.keptSeconds > now else { continue }
            for length in 1...event.subject.count {
                for group in groups {
                    for (metric, micros) in values {
                        let cell = Cell(
                            subject: Array(event.subject.prefix(length)), group: group, metric: metric, level: level,
                            bucket: bucket)
                        sums[cell, default: 0] += micros
                    }
                }
            }
        }
    }

    /// Expects a store to hold exactly this: every cell, its names and child subjects, and nothing else.
    func expect(in store: StoreModel) {
        var rest = store
        var wrong = 0
        var unnamed = 0
        for (cell, sum) in sums {
            let place = place(of: cell)
            if rest.take(place) != sum { wrong += 1 }
            if cell.group.isEmpty, !store.knows(Array("mc\(cell.metric)".utf8), at: place) { unnamed += 1 }
            if fullPaths.contains(cell.group), isFull(cell),
                !store.knows(Array("g".utf8) + Array(cell.group.joined(separator: "\0").utf8), at: place)
            {
                unnamed += 1
            }
        }
        #expect(wrong == 0, "of \(sums.count) cells")
        #expect(unnamed == 0, "of \(sums.count) cells")
        #expect(rest.fieldCount == 0)
        for subject in Set(sums.keys.map(\.subject)) {
            let parent = NameDigest.blake2b(CellName.subjectBytes(Array(subject.dropLast())))
            let key = StoreKey.named(letter: UInt8(ascii: "n"), shard: Shard(subject: parent), digest: parent)
            #expect(store.children[key]?.contains(Array((subject.last ?? "").utf8)) ?? false, "\(subject)")
        }
    }

    /// A group is named where a line gave it in full; the events of these tests name every full path everywhere.
    private func isFull(_ cell: Cell) -> Bool { cell.metric == "hits" }

    func place(of cell: Cell) -> StoreModel.Place {
        let resolution = ladder.resolutions[cell.level]
        let name = CellName(subject: cell.subject, group: cell.group, metric: cell.metric, kind: .counter)
        let chunk = (cell.bucket - ((cell.bucket % 360) + 360) % 360) / 360
        return StoreModel.Place(
            subject: NameDigest.blake2b(CellName.subjectBytes(cell.subject)),
            cell: NameDigest.blake2b(name.canonicalBytes), widthSeconds: Int64(resolution.storedWidth), chunk: chunk,
            offset: Int(cell.bucket - chunk * 360))
    }
}
