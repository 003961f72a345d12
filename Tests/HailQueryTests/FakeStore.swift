import HailCore
import HailQuery
import HailSeal
import HailWire

/// Hashes in memory as a writer would leave them, every cell in places chosen at random among the allowed ones.
struct FakeStore {
    var hashes: [[UInt8]: [[UInt8]: [UInt8]]] = [:]
    var members: [[UInt8]: Set<[UInt8]>] = [:]
    var strings: [[UInt8]: [UInt8]] = [:]
    /// May be replaced, as a migration does.
    var ladder: Ladder
    /// When keys of counters and names go, as was said when they came into being.
    private var expiries: [[UInt8]: Int64] = [:]
    /// The finite resolutions that keep sketches and members; the all-time total always does.
    var sketches: [Resolution] = []
    private var generator: SeededGenerator
    private let digester = NameDigest.blake2b

    init(ladder: Ladder, seed: UInt64 = 1) {
        self.ladder = ladder
        generator = SeededGenerator(seed: seed)
    }

    /// Counts an event with its implicit hit, as `/count` means it.
    mutating func count(pk: JSONValue?, dimensions: JSONValue?, metrics: [(String, String)], at seconds: Int64) throws {
        var metrics = metrics
        if !metrics.contains(where: { $0.0 == "hits" }) { metrics.append(("hits", "1")) }
        let groups = try WrittenPaths(dimensions: dimensions)
        for subject in try WrittenPaths(subject: pk).counted {
            for (name, text) in metrics {
                let amount = Quantity(decimal: text)?.amount ?? .zero
                for group in groups.counted { add(amount, subject, group, name, at: seconds) }
                for resolution in ladder.resolutions {
                    addName(PageField.metric(name, kind: .counter), subject, resolution, seconds)
                    for path in groups.full { addName(PageField.group(path), subject, resolution, seconds) }
                }
            }
        }
    }

    /// Adds to a cell in every resolution.
    mutating func add(
        _ amount: Amount, _ subject: [String], _ group: [String], _ metric: String, at seconds: Int64
    ) {
        let subjectDigest = digester(CellName.subjectBytes(subject))
        let shard = Shard(subject: subjectDigest)
        let cell = CellName(subject: subject, group: group, metric: metric, kind: .counter)
        let digest = digester(cell.canonicalBytes)
        for resolution in ladder.resolutions {
            let bucket = resolution.bucket(at: seconds)
            let (chunk, offset) = (resolution.chunk(ofBucket: bucket), resolution.offset(ofBucket: bucket))
            for (isMillionths, value) in [(false, Int64(amount.whole)), (true, amount.millionths)] where value != 0 {
                let place = Int.random(in: 0..<3, using: &generator)
                let key = StoreKey.chunk(
                    letter: place == 2 ? StoreKey.Letter.counterStrip : StoreKey.Letter.page, shard: shard,
                    digest: place == 2 ? digest : subjectDigest, widthSeconds: Int64(resolution.storedWidth),
                    chunk: chunk,
                    page: place == 1 ? PageField.overflowPage(of: digest) : 0)
                let field =
                    place == 2
                    ? PageField.strip(offset: offset, isMillionths: isMillionths)
                    : PageField.cell(digest, offset: offset, isMillionths: isMillionths)
                let old = hashes[key]?[field].flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
                hashes[key, default: [:]][field] = Array(String(old + value).utf8)
                noteExpiry(of: key, resolution, chunk)
            }
        }
    }

    /// Where a cell of a kind lies, by resolution.
    private struct Spot {
        let resolution: Resolution
        let bucket: Int64
        let digest: Digest
        let subjectDigest: Digest

        var offset: Int { resolution.offset(ofBucket: bucket) }

        func own(_ letter: UInt8, page: UInt8 = 0, byBucket: Bool = false) -> [UInt8] {
            StoreKey.chunk(
                letter: letter, shard: Shard(subject: subjectDigest), digest: digest,
                widthSeconds: Int64(resolution.storedWidth),
                chunk: byBucket ? bucket : resolution.chunk(ofBucket: bucket), page: page)
        }

        func page(_ page: UInt8) -> [UInt8] {
            StoreKey.chunk(
                letter: StoreKey.Letter.page, shard: Shard(subject: subjectDigest), digest: subjectDigest,
                widthSeconds: Int64(resolution.storedWidth), chunk: resolution.chunk(ofBucket: bucket), page: page)
        }
    }

    private mutating func spots(
        _ subject: [String], _ group: [String], _ metric: String, _ kind: Kind, at seconds: Int64, named: Bool
    ) -> [Spot] {
        let digest = digester(CellName(subject: subject, group: group, metric: metric, kind: kind).canonicalBytes)
        return ladder.resolutions.map { resolution in
            if named {
                addName(PageField.metric(metric, kind: kind), subject, resolution, seconds)
                if !group.isEmpty { addName(PageField.group(group), subject, resolution, seconds) }
            }
            return Spot(
                resolution: resolution, bucket: resolution.bucket(at: seconds), digest: digest,
                subjectDigest: digester(CellName.subjectBytes(subject)))
        }
    }

    private func keepsSketch(_ resolution: Resolution) -> Bool {
        resolution.isAllTime || sketches.contains { $0.widthSeconds == resolution.widthSeconds }
    }

    private mutating func change(_ key: [UInt8], _ field: [UInt8], _ change: (String?) -> String) {
        let old = hashes[key]?[field].map { String(decoding: $0, as: UTF8.self) }
        hashes[key, default: [:]][field] = Array(change(old).utf8)
    }

    /// Sets a gauge, unless what a cell holds is newer.
    mutating func set(
        _ value: String, _ subject: [String], _ group: [String], _ metric: String, atMilliseconds time: Int64,
        named: Bool = true
    ) {
        let seconds = time.floorDivided(by: 1_000)
        for spot in spots(subject, group, metric, .gauge, at: seconds, named: named) {
            change(
                spot.own(StoreKey.Letter.gaugeStrip), PageField.strip(offset: spot.offset, isMillionths: false)
            ) { old in
                let oldTime = old.flatMap { Int64($0.split(separator: " ")[1]) } ?? .min
                return oldTime > time ? old ?? "" : "\(value) \(time)"
            }
        }
    }

    /// Times one value, each of its numbers in one of the three places.
    mutating func time(
        _ value: Double, _ subject: [String], _ group: [String], _ metric: String, at seconds: Int64,
        named: Bool = true
    ) {
        let amount = Amount(micros: Int128((value * 1_000_000).rounded()))
        for spot in spots(subject, group, metric, .timer, at: seconds, named: named) {
            for component in TimerComponent.allCases {
                let place = Int.random(in: 0..<3, using: &generator)
                let key =
                    place == 2
                    ? spot.own(StoreKey.Letter.timerStrip, page: component.rawValue)
                    : spot.page(place == 1 ? PageField.overflowPage(of: spot.digest) : 0)
                let field =
                    place == 2
                    ? PageField.strip(offset: spot.offset, isMillionths: false)
                    : PageField.timer(spot.digest, offset: spot.offset, component)
                func whole(_ more: Int64) {
                    guard more != 0 else { return }
                    change(key, field) { String(($0.flatMap { Int64($0) } ?? 0) + more) }
                }
                let micros = Int64(amount.micros)
                switch component {
                case .count: whole(1)
                case .countMillionths: break
                case .sum: whole(Int64(amount.whole))
                case .sumMillionths: whole(amount.millionths)
                case .least: change(key, field) { String(min($0.flatMap { Int64($0) } ?? micros, micros)) }
                case .greatest: change(key, field) { String(max($0.flatMap { Int64($0) } ?? micros, micros)) }
                case .squares: change(key, field) { "\(($0.flatMap { Double($0) } ?? 0) + value * value)" }
                }
            }
            guard keepsSketch(spot.resolution) else { continue }
            change(
                spot.own(StoreKey.Letter.sketch, byBucket: true), Array(String(SketchScale.bucket(of: value)).utf8)
            ) { String(($0.flatMap { Int($0) } ?? 0) + 1) }
        }
    }

    /// Adds members to a set that keeps them as they are, or as the HyperLogLogs that a caller has.
    mutating func insert(
        _ added: [[UInt8]], quarters: [[UInt8]] = [], _ subject: [String], _ group: [String], _ metric: String,
        at seconds: Int64, named: Bool = true
    ) {
        for spot in spots(subject, group, metric, .set, at: seconds, named: named) where keepsSketch(spot.resolution) {
            if !added.isEmpty {
                members[spot.own(StoreKey.Letter.members, byBucket: true), default: []].formUnion(added)
            }
            for (index, quarter) in quarters.enumerated() {
                strings[spot.own(StoreKey.Letter.distinct, page: UInt8(index + 1), byBucket: true)] = quarter
            }
        }
    }

    private mutating func addName(_ field: [UInt8], _ subject: [String], _ resolution: Resolution, _ seconds: Int64) {
        let subjectDigest = digester(CellName.subjectBytes(subject))
        let key = StoreKey.chunk(
            letter: StoreKey.Letter.page, shard: Shard(subject: subjectDigest), digest: subjectDigest,
            widthSeconds: Int64(resolution.storedWidth),
            chunk: resolution.chunk(ofBucket: resolution.bucket(at: seconds)),
            page: Bool.random(using: &generator) ? PageField.overflowPage(of: digester(field)) : 0)
        hashes[key, default: [:]][field] = [UInt8(ascii: "1")]
        noteExpiry(of: key, resolution, resolution.chunk(ofBucket: resolution.bucket(at: seconds)))
    }

    private mutating func noteExpiry(of key: [UInt8], _ resolution: Resolution, _ chunk: Int64) {
        if !resolution.isAllTime, expiries[key] == nil { expiries[key] = resolution.expirySeconds(ofChunk: chunk) }
    }

    /// Forgets what has expired.
    mutating func expire(now: Int64) {
        for (key, expiry) in expiries where expiry <= now { hashes[key] = nil }
    }

    /// What Redis would reply to each command.
    func replies(to commands: [[[UInt8]]]) -> [ReadReply] {
        commands.map { command in
            let hash = hashes[command[1]] ?? [:]
            switch String(decoding: command[0], as: UTF8.self) {
            case "HGETALL": return .array(hash.flatMap { [.bytes($0.key), .bytes($0.value)] })
            case "HMGET": return .array(command.dropFirst(2).map { hash[$0].map { .bytes($0) } ?? .null })
            case "SMEMBERS": return .array((members[command[1]] ?? []).map { .bytes($0) })
            case "GET": return strings[command[1]].map { .bytes($0) } ?? .null
            default: return .error("ERR unknown command")
            }
        }
    }

    /// Asks until there is an answer.
    func answer(_ query: some StoreQuery) throws -> JSONValue { try answerAndRounds(query).0 }

    /// The answer, and how many round trips it took.
    func answerAndRounds(_ query: some StoreQuery) throws -> (JSONValue, Int) {
        var query = query
        for round in 1...2 {
            let keys = query.commands.map { $0[1] }
            guard Set(keys).count == keys.count else { throw QueryError(.badValue, "", "a key is read twice") }
            if let answer = try query.answer(replies(to: query.commands)) {
                // As a caller gets it, and reads it; CSV is no JSON.
                return (query.form == .csv ? answer : try JSONText.parse(JSONText.render(answer)), round)
            }
        }
        throw QueryError(.badValue, "", "no answer after two rounds")
    }

    func totals(_ parameters: [String: JSONValue], now: Int64) throws -> JSONValue {
        try answer(
            TotalsQuery(
                parameters: parameters, now: now, history: LadderHistory(ladder, sketches: sketches), digester: digester
            ))
    }

    func rank(_ parameters: [String: JSONValue], now: Int64) throws -> JSONValue {
        try answer(
            RankQuery(
                parameters: parameters, now: now, history: LadderHistory(ladder, sketches: sketches), digester: digester
            ))
    }

    func plotpoints(_ parameters: [String: JSONValue], now: Int64) throws -> JSONValue {
        try answer(
            PlotpointsQuery(
                parameters: parameters, now: now, history: LadderHistory(ladder, sketches: sketches), digester: digester
            ))
    }
}

extension JSONValue {
    /// A member of an object.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    var names: [String] {
        guard case .object(let members) = self else { return [] }
        return members.map(\.name)
    }

    /// The values of a series, without their times.
    var pointValues: [String] {
        guard case .array(let points) = self else { return [] }
        return points.compactMap { point in
            guard case .array(let pair) = point, pair.count == 2, case .number(let text) = pair[1] else { return nil }
            return text
        }
    }

    static func path(_ parts: String...) -> JSONValue { .array(parts.map { .string($0) }) }

    static func nested(_ members: (String, JSONValue)...) -> JSONValue {
        .object(members.map { Member($0.0, $0.1) })
    }
}

/// The rules of UTC or an offset.
func rules(_ text: String) throws -> ZoneRules {
    try AskedZone.rules(text) { _ throws(ZoneError) in throw .unknown }
}

/// The code of the error that something throws, or nil.
func code(of body: () throws -> Void) -> QueryError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? QueryError)?.code
    }
}
