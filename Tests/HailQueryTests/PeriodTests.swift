import HailCore
import HailQuery
import Testing

@Suite("Period")
struct PeriodTests {
    /// Wednesday 2026-02-11 13:45:30 UTC.
    static let now: Int64 = 1_770_817_530

    private func windows(_ text: String, zone: ZoneRules = .utc, now: Int64 = PeriodTests.now) throws -> [TimeSpan] {
        try Period(parsing: text).windows(now: now, zone: zone)
    }

    @Test(
        "has as many points as widths fit its length, the last now running",
        arguments: [
            ("1m:1h", 60, Int64(60)), ("hour", 60, 60), ("day", 24, 3_600), ("24h", 24, 3_600), ("seven", 7, 86_400),
            ("thirty", 30, 86_400), ("year", 365, 86_400), ("1d:1mo", 31, 86_400), ("1d:1y", 365, 86_400),
            ("1d:1w", 7, 86_400), ("10s:1h", 360, 10), ("5m:6h", 72, 300), ("6h:2d", 8, 21_600), ("90m:1d", 16, 5_400),
            ("7m:1h", 9, 420), ("1w:1mo", 5, 604_800), ("36h:3d", 2, 129_600), ("2d:1w", 4, 172_800),
            ("1h:1h", 1, 3_600), (" THIRTY ", 30, 86_400),
        ])
    func rolling(text: String, count: Int, width: Int64) throws {
        let spans = try windows(text)
        #expect(spans.count == count)
        #expect(spans.allSatisfy { $0.lengthSeconds == width })
        let last = try #require(spans.last)
        #expect(last.startSeconds <= PeriodTests.now && PeriodTests.now < last.endSeconds)
    }

    @Test("begins where the calendar of the zone says")
    func calendar() throws {
        let midnight: Int64 = 1_770_768_000
        #expect(try windows("today").map(\.startSeconds) == (0...13).map { midnight + $0 * 3_600 })
        #expect(try windows("yesterday") == [TimeSpan(startSeconds: midnight - 86_400, endSeconds: midnight)])
        #expect(try windows("wtd").map(\.startSeconds) == [-2, -1, 0].map { midnight + $0 * 86_400 })
        #expect(try windows("mtd").count == 11)
        #expect(try windows("ytd").count == 31 + 11)
        #expect(try windows("1w:2w").map(\.startSeconds) == [-9, -2].map { midnight + $0 * 86_400 })
        #expect(try windows("2/10/2026-2/11/2026").map(\.startSeconds) == [midnight - 86_400, midnight])
        let india = try rules("+0530")
        #expect(try windows("yesterday", zone: india).first?.startSeconds == midnight - 86_400 - 19_800)
        // At 20:00 UTC it is tomorrow there.
        #expect(try windows("mtd", zone: india, now: midnight + 72_000).count == 12)
    }

    @Test("takes a width in months for the calendar's")
    func months() throws {
        let starts = try windows("1mo:1y").map(\.startSeconds)
        #expect(starts.count == 12)
        #expect(starts.last == 1_769_904_000)  // 2026-02-01
        #expect(starts.first == 1_740_787_200)  // 2025-03-01
        #expect(try windows("1y:2y").map(\.startSeconds) == [1_735_689_600, 1_767_225_600])  // 2025, 2026
        #expect(try windows("3mo:9mo").map(\.startSeconds) == [1_751_328_000, 1_759_276_800, 1_767_225_600])
    }

    @Test("follows a zone through its changes of clocks")
    func changesOfClocks() throws {
        // Berlin: 2026-03-29 01:00 UTC from +1 to +2.
        let berlin = ZoneRules(
            name: "Europe/Berlin", offsetSeconds: 3_600,
            transitions: [ZoneRules.Transition(atSeconds: 1_774_746_000, offsetSeconds: 7_200)])
        let spans = try windows("1d:3d", zone: berlin, now: 1_774_856_000)
        #expect(spans.map(\.lengthSeconds) == [86_400, 23 * 3_600, 86_400])
    }

    @Test(
        "refuses what is no period",
        arguments: [
            "", "x", "1m", "1m:", ":1h", "1m:1h:1d", "0s:1h", "1x:1h", "-1m:1h", "1h:1m", "1.5h:1d",
            "2/30/2026-3/1/2026",
            "13/1/2026-13/2/2026", "2/2/2026-2/1/2026", "1/1/26-2/1/26", "5-5", "10-5", "a-b", "1-2-3",
            "99999999999y:99999999999y", "9999999999999999999s:1h", "1mo:1d", "１m:1h",
        ])
    func refused(text: String) {
        #expect(code { _ = try Period(parsing: text) } == .badPeriod)
    }

    @Test("refuses more points than an answer holds", arguments: ["1s:1d", "1m:1y", "1/1/1900-1/1/2026"])
    func tooManyPoints(text: String) {
        #expect(code { _ = try Period(parsing: text) } == .tooCostly)
    }

    @Test("is cut into contiguous windows of its width that end after now", arguments: 0..<300)
    func contiguous(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let now = Int64.random(in: -2_000_000_000...8_000_000_000, using: &generator)
        let unit = try #require(
            [("s", Int64(1)), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)].randomElement(using: &generator))
        let count = Int64.random(in: 1...40, using: &generator)
        let points = Int64.random(in: 1...50, using: &generator)
        let minutes = Int64.random(in: -56...56, using: &generator) * 15
        let zone = ZoneRules(name: "fixed", offsetSeconds: minutes * 60)
        let width = count * unit.1
        let spans = try windows("\(count)\(unit.0):\(count * points)\(unit.0)", zone: zone, now: now)
        #expect(Int64(spans.count) == points)
        #expect(spans.allSatisfy { $0.lengthSeconds == width })
        #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.endSeconds == $1.startSeconds })
        let last = try #require(spans.last)
        #expect(last.startSeconds <= now && now < last.endSeconds)
        if width % 86_400 != 0 {
            #expect(last.startSeconds % width == 0)
        } else {
            #expect((last.startSeconds + minutes * 60) % 86_400 == 0)
        }
    }

    @Test("of calendar months is contiguous in any zone", arguments: 0..<100)
    func contiguousMonths(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let now = Int64.random(in: -2_000_000_000...8_000_000_000, using: &generator)
        let zone = ZoneRules(name: "fixed", offsetSeconds: Int64.random(in: -14...14, using: &generator) * 3_600)
        let spans = try windows("1mo:24mo", zone: zone, now: now)
        #expect(spans.count == 24)
        #expect(spans.allSatisfy { (28...31).contains($0.lengthSeconds / 86_400) })
        #expect(spans.prefix(12).reduce(0) { $0 + $1.lengthSeconds } / 86_400 >= 365)
        #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.endSeconds == $1.startSeconds })
        let last = try #require(spans.last)
        #expect(last.startSeconds <= now && now < last.endSeconds)
    }
}
