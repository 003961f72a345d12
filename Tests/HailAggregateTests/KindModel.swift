import HailAggregate
import HailCore
import HailSeal
import Testing

/// What timers, gauges and sets must come to: event by event, the slow and obvious way.
struct KindModel {
    struct Cell: Hashable {
        let subject: [String]
        let group: [String]
        let metric: String
        let level: Int
        let bucket: Int64
    }

    struct Timer {
        var countMicros: Int128 = 0
        var sumMicros: Int128 = 0
        var least = Int64.max
        var greatest = Int64.min
        var squares = 0.0
        var sketch: [Int: Int128] = [:]
    }

    let ladder: Ladder
    /// By level: whether sketches and members are kept.
    let keeps: [Bool]
    private(set) var timers: [Cell: Timer] = [:]
    private(set) var members: [Cell: Set<String>] = [:]
    /// The value of each gauge's cell, and when it was given.
    private(set) var gauges: [Cell: StoreModel.Gauge] = [:]

    init(ladder: Ladder, sketches: [Resolution]) {
        self.ladder = ladder
        keeps = ladder.resolutions.map { $0.isAllTime || sketches.contains($0) }
    }

    private func cells(
        _ subjects: [[String]], _ groups: Set<[String]>, _ metric: String, _ seconds: Int64, now: Int64
    ) -> [Cell] {
        ladder.resolutions.enumerated().flatMap { level, resolution -> [Cell] in
            let width = resolution.widthSeconds
            let bucket = width == 0 ? 0 : seconds / width
            guard width == 0 || (bucket + 1) * width + resolution.keptSeconds > now else { return [] }
            return subjects.flatMap { subject in
                groups.map { Cell(subject: subject, group: $0, metric: metric, level: level, bucket: bucket) }
            }
        }
    }

    /// Every prefix of a subject, and every prefix of the path.
    private func everywhere(
        _ subject: [String], _ path: [String], _ metric: String, _ seconds: Int64, now: Int64
    ) -> [Cell] {
        let groups = Set((0...path.count).map { Array(path.prefix($0)) })
        return cells((1...subject.count).map { Array(subject.prefix($0)) }, groups, metric, seconds, now: now)
    }

    mutating func time(
        _ micros: Int64, each weightMicros: Int64, _ subject: [String], _ path: [String], _ metric: String,
        at seconds: Int64, now: Int64
    ) {
        let value = Double(micros) / 1_000_000
        for cell in everywhere(subject, path, metric, seconds, now: now) {
            var timer = timers[cell] ?? Timer()
            timer.countMicros += Int128(weightMicros)
            timer.sumMicros += Int128(micros) * Int128(weightMicros / 1_000_000)
            timer.least = min(timer.least, micros)
            timer.greatest = max(timer.greatest, micros)
            timer.squares += value * value * Double(weightMicros) / 1_000_000
            timer.sketch[SketchScale.bucket(of: value), default: 0] += Int128(weightMicros / 1_000_000)
            timers[cell] = timer
        }
    }

    mutating func meet(
        _ member: String, _ subject: [String], _ path: [String], _ metric: String, at seconds: Int64, now: Int64
    ) {
        for cell in everywhere(subject, path, metric, seconds, now: now) where keeps[cell.level] {
            members[cell, default: []].insert(member)
        }
    }

    /// Sets a gauge, or moves it: at the subject itself, at `_` and at the full path alone.
    mutating func gauge(
        _ value: Double, isMove: Bool, _ subject: [String], _ path: [String], _ metric: String, millis: Int64,
        now: Int64
    ) {
        for group in Set([[], path]) {
            let own = cells([subject], [group], metric, millis / 1_000, now: now)
            var value = value
            if isMove, let total = own.last { value += gauges[total]?.value ?? 0 }
            value = (value * 1_000_000).rounded() / 1_000_000
            for cell in own where isMove || gauges[cell]?.millis ?? .min <= millis {
                gauges[cell] = StoreModel.Gauge(value: value, millis: millis)
            }
        }
    }

    // MARK: Comparing

    private func place(of cell: Cell, _ kind: Kind) -> StoreModel.Place {
        let resolution = ladder.resolutions[cell.level]
        let name = CellName(subject: cell.subject, group: cell.group, metric: cell.metric, kind: kind)
        return StoreModel.Place(
            subject: NameDigest.blake2b(CellName.subjectBytes(cell.subject)),
            cell: NameDigest.blake2b(name.canonicalBytes), widthSeconds: resolution.widthSeconds,
            chunk: cell.bucket / 360, offset: Int(cell.bucket % 360))
    }

    /// A key that a bucket has of its own: a sketch's or a set's.
    private func key(_ letter: String, _ place: StoreModel.Place, _ bucket: Int64) -> [UInt8] {
        StoreKey.chunk(
            letter: letter.utf8.first ?? 0, shard: place.shard, digest: place.cell, widthSeconds: place.widthSeconds,
            chunk: bucket)
    }

    /// Expects a store to hold exactly this, and the metrics' names in the pages of every resolution.
    func expect(in store: StoreModel) {
        var wrong: [String] = []
        func check(_ cell: Cell, _ kind: Kind, _ isRight: (StoreModel.Place) -> Bool) {
            let place = place(of: cell, kind)
            let name = Array("m\(Character(Unicode.Scalar(kind.letter)))\(cell.metric)".utf8)
            let isNamed = !cell.group.isEmpty || store.knows(name, at: place)
            if !isRight(place) || !isNamed { wrong.append("\(kind) \(cell)") }
        }
        for (cell, timer) in timers {
            check(cell, .timer) { place in
                let held = store.timer(at: place)
                let sketch = store.fields[key("k", place, cell.bucket)] ?? [:]
                var expected: [[UInt8]: Int128] = [:]
                for (bucket, count) in timer.sketch where keeps[cell.level] {
                    expected[Array("\(bucket)".utf8)] = count
                }
                return held.countMicros == timer.countMicros && held.sumMicros == timer.sumMicros
                    && held.least == timer.least && held.greatest == timer.greatest && sketch == expected
                    && abs(held.squares - timer.squares) <= 1e-9 * timer.squares
            }
        }
        for (cell, members) in members {
            check(cell, .set) { place in
                let hashes = members.map { member -> [UInt8] in
                    let digest = NameDigest.blake2b(Array(member.utf8))
                    return (0..<8).map { digest[$0] }
                }
                return store.members[key("s", place, cell.bucket)] == Set(hashes)
            }
        }
        for (cell, gauge) in gauges {
            check(cell, .gauge) { place in
                let strip = StoreKey.chunk(
                    letter: UInt8(ascii: "g"), shard: place.shard, digest: place.cell,
                    widthSeconds: place.widthSeconds, chunk: place.chunk)
                return store.gauges[strip]?[Array("\(place.offset)".utf8)] == gauge
            }
        }
        #expect(wrong.isEmpty, "\(wrong.count) cells, as \(wrong.first ?? "")")
        #expect(store.gauges.values.reduce(0) { $0 + $1.count } == gauges.count)
        #expect(store.members.count == members.count)
        // Least and greatest of each timer's cell, and nothing else.
        #expect(store.extremes.values.reduce(0) { $0 + $1.count } >= 2 * timers.count)
    }
}

extension StoreModel {
    /// A timer's cell, added up over page, overflow page and strips.
    func timer(at place: Place) -> KindModel.Timer {
        var timer = KindModel.Timer()
        var head = (0..<8).map { place.cell[$0] }
        head[0] |= 0x80
        let offset = [UInt8(place.offset >> 8), UInt8(place.offset & 0xFF)]
        for component in TimerComponent.allCases {
            let strip = StoreKey.chunk(
                letter: UInt8(ascii: "t"), shard: place.shard, digest: place.cell, widthSeconds: place.widthSeconds,
                chunk: place.chunk, page: component.rawValue)
            var places = [0, 1 + place.cell[8] % 64].map { (place.pageKey($0), head + offset + [component.rawValue]) }
            places.append((strip, Array("\(place.offset)".utf8)))
            for (key, field) in places {
                let number = fields[key]?[field] ?? 0
                switch component {
                case .count: timer.countMicros += number * 1_000_000
                case .countMillionths: timer.countMicros += number
                case .sum: timer.sumMicros += number * 1_000_000
                case .sumMillionths: timer.sumMicros += number
                case .least: timer.least = min(timer.least, extremes[key]?[field] ?? .max)
                case .greatest: timer.greatest = max(timer.greatest, extremes[key]?[field] ?? .min)
                case .squares: timer.squares += floats[key]?[field] ?? 0
                }
            }
        }
        return timer
    }
}
