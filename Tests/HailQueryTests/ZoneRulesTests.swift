import HailCore
import HailQuery
import Testing

@Suite("Zone rules")
struct ZoneRulesTests {
    @Test(
        "read offsets from UTC",
        arguments: [
            ("", Int64(0)), ("UTC", 0), ("Z", 0), ("+0000", 0), ("+0530", 19_800), ("-05:00", -18_000),
            (" 0200", 7_200),
            ("-0930", -34_200), ("+1400", 50_400),
        ])
    func offsets(text: String, seconds: Int64) throws {
        #expect(try ZoneRules(parsing: text) { _ in nil }.offsetSeconds(at: 0) == seconds)
    }

    @Test(
        "refuse other names",
        arguments: [
            "America/New_York", "EST", "+5", "+05", "0530", "+0560", "+1401", "+05:3", "+5:300", "++530", "é0530",
            "+05300",
        ])
    func refused(text: String) {
        #expect(code { _ = try ZoneRules(parsing: text) { _ in nil } } == .badZone)
    }

    @Test("take a named zone from whoever knows it")
    func named() throws {
        let zone = try ZoneRules(parsing: "Mars/Olympus") { ZoneRules(name: $0, offsetSeconds: 60) }
        #expect(zone.name == "Mars/Olympus")
        #expect(zone.offsetSeconds(at: 0) == 60)
    }

    @Test("find a day's start where the clocks skip midnight or repeat it")
    func oddMidnights() {
        let day = CivilDate(dayNumber: 20_000)
        let midnight = day.dayNumber * 86_400
        // At local midnight the clocks go to 01:00: the day begins at 01:00, that very instant.
        let skipped = ZoneRules(
            name: "skip", offsetSeconds: -10_800,
            transitions: [ZoneRules.Transition(atSeconds: midnight + 10_800, offsetSeconds: -7_200)])
        #expect(skipped.startSeconds(of: day) == midnight + 10_800)
        #expect(skipped.date(at: midnight + 10_799) < day)
        // At 01:00 the clocks go back to midnight: the first of the two counts.
        let repeated = ZoneRules(
            name: "repeat", offsetSeconds: -14_400,
            transitions: [ZoneRules.Transition(atSeconds: midnight + 14_400 + 3_600, offsetSeconds: -18_000)])
        #expect(repeated.startSeconds(of: day) == midnight + 14_400)
    }
}
