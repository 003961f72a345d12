import HailCore
import HailQuery
import HailSeal

/// Hashes in memory as a writer would leave them, every cell in places chosen at random among the allowed ones.
struct FakeStore {
    var hashes: [[UInt8]: [[UInt8]: [UInt8]]] = [:]
    let ladder: Ladder
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
                    digest: place == 2 ? digest : subjectDigest, widthSeconds: resolution.widthSeconds, chunk: chunk,
                    page: place == 1 ? PageField.overflowPage(of: digest) : 0)
                let field =
                    place == 2
                    ? PageField.strip(offset: offset, isMillionths: isMillionths)
                    : PageField.cell(digest, offset: offset, isMillionths: isMillionths)
                let old = hashes[key]?[field].flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
                hashes[key, default: [:]][field] = Array(String(old + value).utf8)
            }
        }
    }

    private mutating func addName(_ field: [UInt8], _ subject: [String], _ resolution: Resolution, _ seconds: Int64) {
        let subjectDigest = digester(CellName.subjectBytes(subject))
        let key = StoreKey.chunk(
            letter: StoreKey.Letter.page, shard: Shard(subject: subjectDigest), digest: subjectDigest,
            widthSeconds: resolution.widthSeconds, chunk: resolution.chunk(ofBucket: resolution.bucket(at: seconds)),
            page: Bool.random(using: &generator) ? PageField.overflowPage(of: digester(field)) : 0)
        hashes[key, default: [:]][field] = [UInt8(ascii: "1")]
    }

    /// What Redis would reply to each command.
    func replies(to commands: [[[UInt8]]]) -> [ReadReply] {
        commands.map { command in
            let hash = hashes[command[1]] ?? [:]
            switch String(decoding: command[0], as: UTF8.self) {
            case "HGETALL": return .array(hash.flatMap { [.bytes($0.key), .bytes($0.value)] })
            case "HMGET": return .array(command.dropFirst(2).map { hash[$0].map { .bytes($0) } ?? .null })
            default: return .error("ERR unknown command")
            }
        }
    }

    /// Asks until there is an answer.
    func answer(_ query: some StoreQuery) throws -> JSONValue {
        var query = query
        for _ in 0..<4 {
            let keys = query.commands.map { $0[1] }
            guard Set(keys).count == keys.count else { throw QueryError(.badValue, "", "a key is read twice") }
            if let answer = try query.answer(replies(to: query.commands)) { return answer }
        }
        throw QueryError(.badValue, "", "no answer after four rounds")
    }

    func totals(_ parameters: [String: JSONValue], now: Int64) throws -> JSONValue {
        try answer(TotalsQuery(parameters: parameters, now: now, ladder: ladder, digester: digester))
    }

    func plotpoints(_ parameters: [String: JSONValue], now: Int64) throws -> JSONValue {
        try answer(PlotpointsQuery(parameters: parameters, now: now, ladder: ladder, digester: digester))
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

/// The code of the error that something throws, or nil.
func code(of body: () throws -> Void) -> QueryError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? QueryError)?.code
    }
}
