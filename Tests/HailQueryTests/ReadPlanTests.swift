import HailCore
import HailQuery
import HailSeal
import Testing

@Suite("Read plan")
struct ReadPlanTests {
    private func plan(_ text: String, groups: [[String]] = [[]], ladder: Ladder) throws -> ReadPlan {
        try ReadPlan(
            subject: ["s"], groups: groups, sources: [MetricSource(KnownNames.Metric(name: "m", kind: .counter))],
            coverages: [
                Coverage(Period(parsing: text), now: PeriodTests.now, zone: .utc, history: LadderHistory(ladder))
            ],
            digester: NameDigest.blake2b)
    }

    @Test(
        "reads whole hashes where many buckets are wanted and fields where few are",
        arguments: [("1m:2m", "HMGET"), ("all", "HMGET"), ("1m:30m", "HGETALL")])
    func choice(text: String, verb: String) throws {
        let plan = try plan(text, ladder: Ladder(parsing: Ladder.standardText))
        #expect(plan.commands.allSatisfy { $0[0] == Array(verb.utf8) })
        #expect(plan.commands.count == 3 || plan.commands.count == 6)
    }

    @Test("reads a year of days in two chunks, each of three keys")
    func chunks() throws {
        #expect(try plan("1d:350d", ladder: Ladder(parsing: Ladder.standardText)).commands.count.isMultiple(of: 3))
    }

    @Test(
        "refuses replies that no agent's cells give",
        arguments: [
            [], [.array([])], [.error("WRONGTYPE"), .array([]), .array([])],
            [.array([.bytes([1])]), .array([]), .array([])], [.bytes([49]), .array([]), .array([])],
            [.integer(3), .null, .null],
        ] as [[ReadReply]])
    func unreadable(replies: [ReadReply]) throws {
        for text in ["1m:2m", "1m:30m"] {
            let plan = try plan(text, ladder: Ladder(parsing: "1m:1d"))
            #expect(code { _ = try plan.readings(from: replies[...]) } == .storeUnreadable)
        }
    }

    @Test("refuses a cell that holds no whole number")
    func malformedCell() throws {
        let plan = try plan("1m:1m", ladder: Ladder(parsing: "1m:1d"))
        for bad in [ReadReply.bytes(Array("1.5".utf8)), .bytes([]), .bytes([0xFF]), .array([]), .error("ERR")] {
            let replies = [.array([bad, .null]), .array([.null, .null]), ReadReply.array([.null, .null])]
            #expect(code { _ = try plan.readings(from: replies[...]) } == .storeUnreadable)
        }
    }

    @Test("passes over fields that are no wanted cell")
    func strangers() throws {
        let plan = try plan("1m:30m", ladder: Ladder(parsing: "1m:1d"))
        let fields: [[UInt8]] = [
            [], [0x80], Array("gcountry".utf8), Array("mchits".utf8), Array("-5".utf8), Array("99999".utf8),
            [UInt8](repeating: 0xFF, count: 10),
        ]
        let whole = ReadReply.array(fields.flatMap { [.bytes($0), .bytes(Array("x".utf8))] })
        let readings = try plan.readings(from: [ReadReply](repeating: whole, count: plan.commands.count)[...])
        #expect(readings.known.isEmpty)
    }

    @Test("never traps on what a store may reply", arguments: 0..<200)
    func randomReplies(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let plan = try plan(seed % 2 == 0 ? "1m:2m" : "1m:30m", ladder: Ladder(parsing: "1m:1d"))
        func reply(_ depth: Int) -> ReadReply {
            switch Int.random(in: 0..<(depth > 2 ? 4 : 6), using: &generator) {
            case 0: .null
            case 1: .integer(Int64.random(in: .min ... .max, using: &generator))
            case 2:
                .bytes(
                    (0..<Int.random(in: 0...12, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
                )
            case 3: .bytes(Array(String(Int64.random(in: .min ... .max, using: &generator)).utf8))
            case 4: .error("ERR")
            default: .array((0..<Int.random(in: 0...8, using: &generator)).map { _ in reply(depth + 1) })
            }
        }
        _ = try? plan.readings(from: plan.commands.map { _ in reply(0) }[...])
    }

    @Test("sums to the same over finer resolutions, wherever cells lie", arguments: 0..<40)
    func finerSums(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let now = Int64.random(in: 0...4_000_000_000, using: &generator)
        var store = FakeStore(ladder: try Ladder(parsing: "10s:40d,1m:40d,1h:40d,1d:40d"), seed: seed)
        let today = CivilDate(dayNumber: now.floorDivided(by: 86_400)).dayNumber * 86_400
        var expected: [Int64: Amount] = [:]
        for _ in 0..<60 {
            let at = Int64.random(in: today - 2 * 86_400...now, using: &generator)
            let amount = Amount(micros: Int128(Int64.random(in: -5_000_000...5_000_000, using: &generator)))
            store.add(amount, ["s"], ["g"], "m", at: at)
            expected[at.floorDivided(by: 86_400), default: .zero] += amount
        }
        let sum = expected.values.reduce(Amount.zero, +).description
        let periods = ["\(today - 2 * 86_400)-\(now + 1)", "1d:3d", "1h:3d", "10m:3d", "1m:3d", "1w:3w", "all"]
        let answer = try store.totals(
            [
                "pk": .string("s"), "dimensions": .string("g"), "metrics": .string("m"),
                "periods": .array(periods.map { .string($0) }),
            ], now: now)
        for period in periods { #expect(answer[period]?["g"]?["m"] == .number(sum), "\(period)") }
        let days = try store.plotpoints(
            ["pk": .string("s"), "dimensions": .string("g"), "metrics": .string("m"), "period": .string("1d:3d")],
            now: now)
        #expect(
            days["g"]?["m"]?.pointValues
                == [-2, -1, 0].map { (expected[today / 86_400 + $0] ?? .zero).description })
    }
}
