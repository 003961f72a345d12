import HailCore
import HailQuery
import HailSeal
import Testing

@Suite("Ladder history")
struct LadderHistoryTests {
    private static let day: Int64 = 86_400
    /// 2026-02-11 13:45:30 UTC.
    private static let now = PeriodTests.now

    private static let zones = [
        ZoneRules(name: "Test/West", offsetSeconds: -5 * 3_600),
        ZoneRules(name: "Test/Nepal", offsetSeconds: 20_700),
        // Clocks go forth and back in the time that the tests look at, some at midnight.
        ZoneRules(
            name: "Test/Summer", offsetSeconds: 7_200,
            transitions: (0..<40).map {
                ZoneRules.Transition(
                    atSeconds: now - 200 * day + $0 * 11 * day - 49_530 + 79_200,
                    offsetSeconds: $0 % 2 == 0 ? 10_800 : 7_200)
            }),
    ]

    @Sendable private static func find(_ name: String) throws(ZoneError) -> ZoneRules {
        guard let zone = zones.first(where: { $0.name == name }) else { throw .unknown }
        return zone
    }

    private static func ladder(_ text: String, _ zones: [ZoneRules] = []) throws -> Ladder {
        try Ladder(parsing: text).keepingDays(of: zones, nowSeconds: now, digester: NameDigest.blake2b)
    }

    private func coverage(_ text: String, _ zone: ZoneRules = .utc, _ history: LadderHistory) throws -> Coverage {
        try Coverage(Period(parsing: text), now: Self.now, zone: zone, history: history)
    }

    private func history(_ former: [(until: Int64, Ladder)], _ present: Ladder) -> LadderHistory {
        var eras: [LadderHistory.Era] = []
        var start = Int64.min
        for (until, ladder) in former {
            eras.append(LadderHistory.Era(fromSeconds: start, ladder: ladder, sketches: []))
            start = until
        }
        return LadderHistory(eras, present: LadderHistory.Era(fromSeconds: start, ladder: present, sketches: []))
    }

    @Test("reads the days of a kept zone from its days, as far back as these are kept, and of others from hours")
    func keptZones() throws {
        let kept = LadderHistory(try Self.ladder(Ladder.standardText, [Self.zones[0]]))
        let year = try coverage("1d:1y", Self.zones[0], kept)
        #expect(year.truncatedBefore == nil && year.stretches.map(\.resolution.zone?.name) == ["Test/West"])
        #expect(try coverage("1mo:1y", Self.zones[0], kept).truncatedBefore == nil)
        #expect(try coverage("1d:3y", Self.zones[0], kept).truncatedBefore != nil)
        #expect(try coverage("1d:1y", .utc, kept).stretches.map(\.resolution.zone) == [nil])
        #expect(try coverage("1h:1d", Self.zones[0], kept).stretches.map(\.resolution.widthSeconds) == [3_600])
        let other = ZoneRules(name: "Test/East", offsetSeconds: 3_600)
        #expect(try coverage("1d:7d", other, kept).stretches.map(\.resolution.widthSeconds) == [3_600])
        #expect(code { _ = try coverage("1d:60d", other, kept) } == .zoneNotKept)
        // Where its days happen to be those of a kept zone, these answer.
        let alias = ZoneRules(name: "Test/Alias", offsetSeconds: -5 * 3_600)
        #expect(try coverage("1d:1y", alias, kept).stretches.map(\.resolution.zone?.name) == ["Test/West"])
    }

    @Test("has no point for a day that was none")
    func leftOut() throws {
        let midnight = (Self.now / Self.day - 3) * Self.day
        let samoa = ZoneRules(
            name: "Test/Samoa", offsetSeconds: -36_000,
            transitions: [ZoneRules.Transition(atSeconds: midnight + 36_000, offsetSeconds: 50_400)])
        let kept = LadderHistory(try Self.ladder(Ladder.standardText, [samoa]))
        let week = try coverage("1d:7d", samoa, kept)
        #expect(week.spans.count == 6 && week.truncatedBefore == nil)
        #expect(week.spans.allSatisfy { $0.lengthSeconds == Self.day })
        #expect(week.stretches.map(\.resolution.zone?.name) == ["Test/Samoa"])
        #expect(week.bucketCount == 7)
        #expect(try coverage("1d:7d", samoa, LadderHistory(Ladder(parsing: "1h:31d"))).spans == week.spans)
    }

    @Test("answers a new coarse resolution from finer cells where it does not reach")
    func newCoarse() throws {
        let migrated = Self.now - 10 * Self.day
        let history = history(
            [(migrated, try Self.ladder("1m:1d,1h:31d"))], try Self.ladder("1m:1d,1h:31d,1d:2y"))
        let days = try coverage("1d:30d", .utc, history)
        #expect(days.truncatedBefore == nil)
        // The day in which it was migrated lies in hours too.
        #expect(days.stretches.map(\.resolution.widthSeconds) == [3_600, Self.day])
        #expect(days.stretches.map(\.buckets.count) == [20 * 24, 10])
        // Older than the hours: only the days know, and only since then.
        let later = self.history(
            [(Self.now - 60 * Self.day, try Self.ladder("1h:31d"))], try Self.ladder("1h:31d,1d:2y"))
        let long = try coverage("1d:90d", .utc, later)
        #expect(long.truncatedBefore == (Self.now / Self.day - 59) * Self.day)
        #expect(long.spans.count == 60)
    }

    @Test("still reads what a migration ended, as long as that is kept")
    func oldCoarse() throws {
        let migrated = Self.now - 10 * Self.day
        let history = history(
            [(migrated, try Self.ladder("1h:31d,1d:2y"))], try Self.ladder("1h:100d"))
        let days = try coverage("1d:1y", .utc, history)
        #expect(days.truncatedBefore == nil)
        #expect(days.stretches.map(\.resolution.widthSeconds).sorted() == [3_600, Self.day])
        // In the day of the migration there are hours from both before and after.
        let total = try #require(days.stretches.first { $0.resolution.widthSeconds == Self.day })
        #expect(total.buckets.upperBound == migrated / Self.day)
    }

    @Test("puts a point that no resolution has all of together from one of each era")
    func replaced() throws {
        let migrated = Self.now - 5 * Self.day
        let history = history(
            [(migrated, try Self.ladder("10s:1h,1m:1d,1h:31d"))], try Self.ladder("30s:1h,5m:2d,2h:60d"))
        let days = try coverage("1d:25d", .utc, history)
        #expect(days.truncatedBefore == nil && days.spans.count == 25)
        let widths = Dictionary(grouping: days.stretches, by: \.resolution.widthSeconds)
            .mapValues { $0.reduce(0) { $0 + $1.buckets.count } }
        // The day of the migration is in both.
        #expect(widths == [3_600: 20 * 24, 7_200: 6 * 12])
    }

    @Test("keeps what was begun under a shorter time no longer than that")
    func straddledChunk() throws {
        // A chunk of hours is 15 days; the one that was begun before goes 31 days after its end.
        let migrated = Self.now - 60 * Self.day
        let history = history([(migrated, try Self.ladder("1h:31d"))], try Self.ladder("1h:1y"))
        let chunk = 360 * Int64(3_600)
        let next = (migrated / chunk + 1) * chunk
        let hours = try coverage("1h:100d", .utc, history)
        #expect(hours.truncatedBefore == max(next, 0))
        #expect(Self.now - next > 31 * Self.day)
    }

    @Test("answers what was counted, whatever was migrated to what and when", arguments: 0..<40)
    func exact(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let texts = [
            "10s:1h,1m:1d,1h:31d,1d:2y", "1m:1d,1h:31d", "30s:2h,5m:2d,2h:60d", "1m:3d,1h:60d,1d:2y",
            "15m:10d,1d:100d,2d:1y", "1h:31d,1d:20d,5d:2y",
        ]
        func ladder() throws -> Ladder {
            let zones = Self.zones.filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
            let text = try #require(texts.randomElement(using: &generator))
            // Quarters of an hour divide all offsets, whole hours do not.
            if let kept = try? Self.ladder(text, zones) { return kept }
            return try Self.ladder(text)
        }
        let start = Self.now - 100 * Self.day
        let migrations = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
            Int64.random(in: start...Self.now, using: &generator)
        }.sorted()
        let ladders = try (0...migrations.count).map { _ in try ladder() }
        var store = FakeStore(ladder: ladders[0], seed: seed)
        var events: [Int64] = []
        for _ in 0..<400 {
            let recent = Int.random(in: 0..<3, using: &generator) == 0
            events.append(Int64.random(in: (recent ? Self.now - 2 * Self.day : start)...Self.now, using: &generator))
        }
        events += migrations.flatMap { [$0 - 1, $0] }.filter { $0 <= Self.now }
        for event in events.sorted() {
            store.ladder = ladders[migrations.count { $0 <= event }]
            try store.count(pk: .string("s"), dimensions: nil, metrics: [], at: event)
        }
        store.expire(now: Self.now)
        let history = history(Array(zip(migrations, ladders)).map { ($0.0, $0.1) }, try #require(ladders.last))
        for period in [
            "1m:3h", "10m:1d", "1h:2d", "2h:1w", "1d:30d", "1d:90d", "1w:8w", "1mo:4mo", "today", "mtd",
            "\(Self.now - 50 * Self.day)-\(Self.now)", "\(Self.now - 3_000)-\(Self.now - 60)",
        ] {
            for zone in ["UTC"] + Self.zones.map(\.name) {
                let query: PlotpointsQuery
                do throws(QueryError) {
                    query = try PlotpointsQuery(
                        parameters: ["pk": .string("s"), "period": .string(period), "tz": .string(zone)],
                        now: Self.now, history: history, digester: NameDigest.blake2b, zones: Self.find)
                } catch {
                    #expect([.badPeriod, .zoneNotKept].contains(error.code), "\(period) \(zone): \(error)")
                    continue
                }
                let answer = try store.answer(query)
                guard case .array(let points) = answer["_"]?["hits"] else { continue }
                var starts: [Int64] = []
                for case .array(let pair) in points {
                    guard case .number(let text) = pair[0], let milliseconds = Int64(text) else { continue }
                    starts.append(milliseconds / 1_000)
                }
                let rule = try zone == "UTC" ? .utc : Self.find(zone)
                let ends = starts.dropFirst() + [try lastEnd(period, rule, history)]
                let values = answer["_"]?["hits"]?.pointValues ?? []
                for (index, (first, end)) in zip(starts, ends).enumerated() {
                    let counted = events.count { first <= $0 && $0 < end }
                    #expect(values[index] == "\(counted)", "\(period) \(zone), point \(index) of \(starts.count)")
                }
            }
        }
    }

    private func lastEnd(_ period: String, _ zone: ZoneRules, _ history: LadderHistory) throws -> Int64 {
        try coverage(period, zone, history).spans.last?.endSeconds ?? Self.now
    }

    @Test("has the same total in the days of every kept zone", arguments: 0..<20)
    func sameTotals(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let ladder = try Self.ladder("1m:1d,1h:31d,1d:2y", Self.zones)
        var store = FakeStore(ladder: ladder, seed: seed)
        for _ in 0..<200 {
            let second = Int64.random(in: Self.now - 380 * Self.day...Self.now, using: &generator)
            try store.count(pk: nil, dimensions: nil, metrics: [], at: second)
        }
        for zone in ["UTC"] + Self.zones.map(\.name) {
            for period in ["1d:400d", "1w:60w", "1mo:14mo"] {
                let query = try PlotpointsQuery(
                    parameters: ["period": .string(period), "tz": .string(zone), "with_totals": .bool(true)],
                    now: Self.now, history: LadderHistory(ladder), digester: NameDigest.blake2b, zones: Self.find)
                let values = try store.answer(query)["_"]?["hits"]?.pointValues ?? []
                #expect(values.last == "200" && values.dropLast().compactMap { Int($0) }.reduce(0, +) == 200)
            }
        }
    }
}
