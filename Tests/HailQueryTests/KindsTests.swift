import HailCore
import HailQuery
import HailSeal
import Testing

@Suite("Kinds")
struct KindsTests {
    static let now = PeriodTests.now

    private func store(seed: UInt64 = 1, sketches: [Int64] = [60, 3_600, 86_400]) throws -> FakeStore {
        var store = FakeStore(ladder: try Ladder(parsing: Ladder.standardText), seed: seed)
        store.sketches = store.ladder.resolutions.filter { sketches.contains($0.widthSeconds) }
        return store
    }

    private func total(
        _ store: FakeStore, _ metric: String, _ period: String = "1m:1h", dimension: JSONValue = .null
    ) throws -> String? {
        let answer = try store.totals(
            ["metrics": .path(metric), "periods": .path(period), "dimensions": dimension], now: Self.now)
        guard case .object(let groups) = answer[period], case .number(let text) = groups.first?.value[metric]
        else { return nil }
        return text
    }

    private func points(_ store: FakeStore, _ metric: String, _ period: String = "1m:5m") throws -> [String]? {
        let answer = try store.plotpoints(["metrics": .path(metric), "period": .string(period)], now: Self.now)
        return answer["_"]?[metric]?.pointValues
    }

    @Test("are read in the order counter, gauge, timer, set, wherever in time they were", arguments: [0, 40 * 86_400])
    func order(age: Int64) throws {
        var store = try store()
        func asked() throws -> [String?] {
            try ["m", "m:set", "m:timer", "m:gauge", "m:counter", "m:count"].map { try total(store, $0, "all") }
        }
        #expect(try asked() == ["0", "0", "0", "0", "0", "0"])
        store.insert([[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 9]], [], [], "m", at: Self.now - age)
        #expect(try asked() == ["2", "2", "0", "0", "0", "0"])
        for value in [8.0, 12] { store.time(value, [], [], "m", at: Self.now - age) }
        #expect(try asked() == ["10", "2", "10", "0", "0", "2"])
        store.set("7.25", [], [], "m", atMilliseconds: (Self.now - age) * 1_000)
        #expect(try asked() == ["7.25", "2", "10", "7.25", "0", "2"])
        try store.count(pk: nil, dimensions: nil, metrics: [("m", "3")], at: Self.now - age)
        #expect(try asked() == ["3", "2", "10", "7.25", "3", "2"])
        // Long after, the name still says which kind it is.
        #expect(try total(store, "m") == (age == 0 ? "3" : "0"))
    }

    @Test("outrank constants of the same name, each subject by its own")
    func constants() throws {
        var store = try store()
        store.set("4", ["a"], [], "days", atMilliseconds: Self.now * 1_000)
        let question: [String: JSONValue] = [
            "pk": .array([.path("a"), .path("b")]), "periods": .path("1d:3d"), "metrics": .path("days"),
        ]
        let answer = try store.totals(question, now: Self.now)
        #expect(answer["a"]?["1d:3d"]?["_"]?["days"] == .number("4"))
        #expect(answer["b"]?["1d:3d"]?["_"]?["days"] == .number("3"))
    }

    @Test(
        "take one round trip for counters and named kinds, one more where the store has to say which it is",
        arguments: [
            ("c", 1), ("unknown", 1), ("g:gauge", 1), ("t:p50", 1), ("s:set", 1), ("t:sum/t:count", 1), ("g", 2),
            ("t", 2), ("s", 2), ("c,g:gauge", 1), ("g,g:gauge", 1), ("days/=2", 1), ("t,t:mean", 1),
        ])
    func rounds(metrics: String, rounds: Int) throws {
        var store = try store()
        try store.count(pk: nil, dimensions: nil, metrics: [("c", "1")], at: Self.now)
        store.set("1", [], [], "g", atMilliseconds: Self.now * 1_000)
        store.time(1, [], [], "t", at: Self.now)
        store.insert([[UInt8](repeating: 1, count: 8)], [], [], "s", at: Self.now)
        let totals = try TotalsQuery(
            parameters: ["metrics": .string(metrics)], now: Self.now,
            history: LadderHistory(store.ladder, sketches: store.sketches),
            digester: NameDigest.blake2b)
        #expect(try store.answerAndRounds(totals).1 == rounds)
        for (depth, most) in [(0, rounds), (1, 2)] {
            let plot = try PlotpointsQuery(
                parameters: [
                    "metrics": .string(metrics), "period": .string("1m:1h"), "depth": .number(String(depth)),
                ], now: Self.now, history: LadderHistory(store.ladder, sketches: store.sketches),
                digester: NameDigest.blake2b)
            #expect(try store.answerAndRounds(plot).1 == most)
        }
    }

    @Test("have gauges whose value is their last by time", arguments: [UInt64(1), 2, 3])
    func gauges(seed: UInt64) throws {
        var store = try store(seed: seed)
        // Written out of order; an exponent is a decimal too.
        for (value, age) in [("5", 30), ("-2.5", 200_000), ("1e3", 130_000), ("9", 125_000)] as [(String, Int64)] {
            store.set(value, [], [], "g", atMilliseconds: Self.now * 1_000 - age)
        }
        #expect(try total(store, "g") == "5")
        #expect(try total(store, "g:gauge", "all") == "5")
        let boundary = Self.now.floorDivided(by: 60) * 60
        store.set("1", [], [], "h", atMilliseconds: (boundary - 180) * 1_000)
        store.set("2", [], [], "h", atMilliseconds: (boundary - 180) * 1_000 + 500)
        store.set("-3.5", [], [], "h", atMilliseconds: (boundary - 60) * 1_000)
        #expect(try points(store, "h") == ["0", "2", "0", "-3.5", "0"])
        #expect(try points(store, "h:last") == ["0", "2", "2", "-3.5", "-3.5"])
        #expect(try points(store, "h:gauge:+") == ["0", "2", "2", "-3.5", "-3.5"])
        #expect(try points(store, "h/=2") == ["0", "1", "0", "-1.75", "0"])
        #expect(try points(store, "h:last", "10s:1m")?.count == 6)
        #expect(try total(store, "h", "5m:10m") == "-3.5")
        // Written at full paths only: a parent between has none.
        store.set("8", [], ["geo", "US"], "h", atMilliseconds: boundary * 1_000)
        #expect(try total(store, "h", dimension: .path("geo", "US")) == "8")
        #expect(try total(store, "h", dimension: .path("geo")) == "0")
    }

    @Test("have timers whose numbers are those of all their values", arguments: [UInt64(1), 2, 3])
    func timers(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var store = try store(seed: seed)
        var values: [Double] = []
        for _ in 0..<300 {
            let value = (Double.random(in: -50...900, using: &generator) * 1_000).rounded() / 1_000
            values.append(value)
            store.time(value, [], [], "t", at: Self.now - Int64.random(in: 0..<3_000, using: &generator))
        }
        func number(_ metric: String) throws -> Double {
            try #require(try total(store, metric).flatMap { Double($0) })
        }
        let sum = values.reduce(0, +)
        let mean = sum / 300
        let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 300).squareRoot()
        #expect(try number("t:count") == 300)
        for (metric, expected) in [
            ("t:sum", sum), ("t:mean", mean), ("t", mean), ("t:min", values.min() ?? 0), ("t:max", values.max() ?? 0),
            ("t:stddev", deviation), ("t:sum/t:count", mean),
            ("t:max/t:min", (values.max() ?? 0) / (values.min() ?? 1)),
        ] {
            #expect(abs(try number(metric) - expected) <= 1e-9 * max(1, abs(expected)), "\(metric)")
        }
        #expect(try number("t:p0") == values.min())
        #expect(try number("t:p100") == values.max())
    }

    @Test("have timers that accumulate, carry forward and are 0 where nothing was timed")
    func timerPoints() throws {
        var store = try store()
        for (minutes, value) in [(Int64(3), 2.0), (3, 4), (1, 9)] {
            store.time(value, [], [], "t", at: Self.now - minutes * 60)
        }
        #expect(try points(store, "t") == ["0", "3", "0", "9", "0"])
        #expect(try points(store, "t:count:+") == ["0", "2", "2", "3", "3"])
        #expect(try points(store, "t:+") == ["0", "3", "3", "5", "5"])
        #expect(try points(store, "t:max:last") == ["0", "4", "4", "9", "9"])
        #expect(try points(store, "t:stddev") == ["0", "1", "0", "0", "0"])
        #expect(try points(store, "t:p25:+").map { $0.count } == 5)
        #expect(try points(store, "t:sum/minutes") == ["0", "6", "0", "9", "0"])
        #expect(try points(store, "t:sum", "10s:20s") == ["0", "0"])
    }

    @Test("have sets whose count is that of their union, over time and children")
    func sets() throws {
        var store = try store()
        func members(_ range: Range<UInt64>) -> [[UInt8]] {
            range.map { number in (0..<8).map { UInt8(truncatingIfNeeded: number &* 0x9E37_79B9_7F4A_7C15 >> ($0 * 8)) }
            }
        }
        for (minutes, range, child) in [(Int64(3), UInt64(0)..<60, "a"), (1, 40..<90, "b"), (1, 80..<100, "c")] {
            for group in [[], ["t"], ["t", child]] {
                store.insert(members(range), [], group, "s", at: Self.now - minutes * 60)
            }
        }
        #expect(try total(store, "s") == "100")
        #expect(try total(store, "s:set", "all") == "100")
        #expect(try points(store, "s") == ["0", "60", "0", "60", "0"])
        #expect(try points(store, "s:+") == ["0", "60", "60", "100", "100"])
        #expect(try points(store, "s:last") == ["0", "60", "60", "60", "60"])
        let answer = try store.plotpoints(
            [
                "metrics": .string("s"), "period": .string("1h:2h"), "dimensions": .string("t"), "depth": .number("1"),
                "threshold": .number("0.45"), "with_totals": .bool(true),
            ], now: Self.now)
        #expect(answer.names == ["t", #"["t", "__other__"]"#, #"["t", "a"]"#])
        #expect(answer[#"["t", "__other__"]"#]?["s"]?.pointValues.last == "60")
        #expect(answer["t"]?["s"]?.pointValues.last == "100")
    }

    @Test("fold timers by their count, sketches and all")
    func timerThreshold() throws {
        var store = try store()
        for (child, value, times) in [("a", 1.0, 90), ("b", 1_000, 6), ("c", 3_000, 4)] {
            for _ in 0..<times { store.time(value, [], ["t", child], "m", at: Self.now) }
        }
        let answer = try store.plotpoints(
            [
                "metrics": .path("m:mean", "m:p50", "m:count"), "period": .string("1h:1h"), "depth": .number("1"),
                "dimensions": .string("t"), "threshold": .number("0.1"),
            ], now: Self.now)
        let other = answer[#"["t", "__other__"]"#]
        #expect(answer.names == ["t", #"["t", "__other__"]"#, #"["t", "a"]"#])
        #expect(other?["m:mean"]?.pointValues == ["1800"])
        #expect(other?["m:count"]?.pointValues == ["10"])
        let median = try #require(other?["m:p50"]?.pointValues.first.flatMap { Double($0) })
        #expect(abs(median - 1_000) <= 20)
    }

    @Test(
        "need sketches for percentiles and distinct counts",
        arguments: [
            ("t:p50", "10s:10m", false), ("t:p50", "1m:1h", true), ("s", "10s:10m", false), ("s:set", "1m:1h", true),
            ("t:p50", "all", true), ("t:mean", "10s:10m", true), ("c/t:p50", "10s:10m", false),
            ("t:p50", "30s:10m", false), ("t:p50", "1h:1w", true), ("s:set/c", "1d:30d", true),
        ])
    func noSketch(metric: String, period: String, isKept: Bool) throws {
        var store = try store()
        store.time(1, [], [], "t", at: Self.now)
        store.insert([[UInt8](repeating: 1, count: 8)], [], [], "s", at: Self.now)
        let refusal = code { _ = try total(store, metric, period) }
        #expect(refusal == (isKept ? nil : .noSketch))
        #expect(code { _ = try points(store, metric, period) } == refusal)
        store.sketches = []
        if refusal == nil, metric != "t:mean", period != "all" {
            #expect(code { _ = try total(store, metric, period) } == .noSketch)
        }
        #expect(code { _ = try total(store, "t:p50", "7s:1h") } == .badPeriod)
    }

    @Test("are read from a finer resolution where only it keeps sketches")
    func otherResolution() throws {
        var store = try store(sketches: [60])
        for value in [1.0, 2, 3] { store.time(value, [], [], "t", at: Self.now) }
        let answer = try store.totals(["metrics": .string("t:p50,t:count"), "periods": .path("1h:2h")], now: Self.now)
        #expect(answer["1h:2h"]?["_"]?["t:count"] == .number("3"))
        let defaults = try store.totals(["metrics": .string("t:p50")], now: Self.now)
        #expect(defaults["1m:1h"]?["_"]?["t:p50"] != nil)
        store.sketches = []
        #expect(code { _ = try store.totals(["metrics": .string("t:p50")], now: Self.now) } == .noSketch)
    }

    @Test("cost no more than their bound")
    func tooCostly() throws {
        let dimensions = JSONValue.array((0..<8).map { .path("d\($0)") })
        for metric in ["s:set", "t:p50"] {
            let question: [String: JSONValue] = [
                "metrics": .string(metric), "dimensions": dimensions, "period": .string("1m:1d"),
            ]
            #expect(code { _ = try store().plotpoints(question, now: Self.now) } == .tooCostly)
            #expect(code { _ = try points(store(), metric, "1m:1d") } == nil)
        }
    }

    @Test(
        "refuse cells that no agent wrote",
        arguments: [
            ("m:gauge", "5"), ("m:gauge", ""), ("m:gauge", "x 5"), ("m:gauge", "nan 5"), ("m:gauge", "5 x"),
            ("m:gauge", "5 1 2"), ("m:gauge", "5  1"), ("m:mean", "1.5"), ("m:min", ""), ("m:stddev", "nan"),
            ("m:stddev", "x"), ("m:stddev", "1e999"), ("m:p50", "x"),
        ])
    func unreadable(metric: String, bad: String) throws {
        for period in ["1m:2m", "1h:1d"] {
            let query = try TotalsQuery(
                parameters: ["metrics": .string(metric), "periods": .path(period)], now: Self.now,
                history: LadderHistory(
                    Ladder(parsing: Ladder.standardText),
                    sketches: Ladder(parsing: Ladder.standardText).resolutions),
                digester: NameDigest.blake2b)
            for index in query.commands.indices {
                var query = query
                var isWhole = false
                let replies = query.commands.enumerated().map { position, command -> ReadReply in
                    guard position == index else { return .null }
                    isWhole = command.count == 2
                    return .array(
                        isWhole
                            ? [.bytes(Array("7".utf8)), .bytes(Array(bad.utf8))]
                            : command.dropFirst(2).map { _ in .bytes(Array(bad.utf8)) })
                }
                let refusal = code { _ = try query.answer(replies) }
                // A page that is read whole passes over a field that is no cell; squares are the one number that may
                // have a fraction.
                let isPassedOver = refusal == nil && (isWhole || bad == "1.5")
                #expect(refusal == .storeUnreadable || isPassedOver, "\(period) \(index)")
            }
        }
    }

    @Test("never trap on what a store may reply", arguments: 0..<300)
    func randomReplies(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func bytes() -> [UInt8] {
            let texts = [
                "-9223372036854775808", "9223372036854775807", "nan", "1e308", "-1e308", "inf", "5 7", "1e400 5", "x 5",
                "5 ", " 5", "10000", "20000", "-1", "0", "359", "HYLL", "7 9223372036854775807",
            ]
            switch Int.random(in: 0..<5, using: &generator) {
            case 0:
                return (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                    .random(in: 0...255, using: &generator)
                }
            case 1: return Array("HYLL\u{1}".utf8) + [UInt8](repeating: 0, count: 11) + [0x7F, 0xFF]
            case 2:
                return Array("HYLL".utf8) + [UInt8](repeating: .random(in: 0...255, using: &generator), count: 12_300)
            default: return Array((texts.randomElement(using: &generator) ?? "").utf8)
            }
        }
        func reply(to command: [[UInt8]]) -> ReadReply {
            switch Int.random(in: 0..<40, using: &generator) {
            case 0: return .error("ERR")
            case 1: return .integer(.random(in: .min ... .max, using: &generator))
            case 2: return .array([.array([])])
            default: break
            }
            func value() -> ReadReply {
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: .null
                case 1: .integer(.random(in: .min ... .max, using: &generator))
                default: .bytes(bytes())
                }
            }
            switch String(decoding: command[0], as: UTF8.self) {
            case "GET": return value()
            case "HMGET": return .array(command.dropFirst(2).map { _ in value() })
            case "SMEMBERS":
                return .array(
                    (0..<3).map { _ in .bytes([UInt8](repeating: .random(in: 0...255, using: &generator), count: 8)) })
            default: return .array((0..<8).map { _ in value() })
            }
        }
        for metrics in [
            "m", "m:gauge", "m:stddev,m:mean,m:min/m:max", "m:p50,m:p99.9:+", "m:set,m:set:+", "m:set/m:sum",
        ] {
            for period in ["1m:5m", "1h:3d", "all"] {
                var query = try PlotpointsQuery(
                    parameters: ["metrics": .string(metrics), "period": .string(period), "with_totals": .bool(true)],
                    now: Self.now,
                    history: LadderHistory(
                        Ladder(parsing: Ladder.standardText),
                        sketches: Ladder(parsing: Ladder.standardText).resolutions), digester: NameDigest.blake2b)
                // Mostly silence, so that some replies get through to the sums.
                let isSparse = Bool.random(using: &generator)
                _ = try? query.answer(
                    query.commands.map {
                        isSparse && Int.random(in: 0..<20, using: &generator) > 0 ? .null : reply(to: $0)
                    })
            }
        }
    }
}
