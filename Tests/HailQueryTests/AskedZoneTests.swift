import HailCore
import HailQuery
import Testing

@Suite("Asked zone")
struct AskedZoneTests {
    @Test(
        "reads offsets from UTC",
        arguments: [
            ("", Int64(0)), ("UTC", 0), ("Z", 0), ("+0000", 0), ("+0530", 19_800), ("-05:00", -18_000),
            (" 0200", 7_200),
            ("-0930", -34_200), ("+1400", 50_400),
        ])
    func offsets(text: String, seconds: Int64) throws {
        #expect(try rules(text).offsetSeconds(at: 0) == seconds)
    }

    @Test(
        "refuses other names",
        arguments: [
            "Mars/Olympus", "EST", "+5", "+05", "0530", "+0560", "+1401", "+05:3", "+5:300", "++530", "é0530",
            "+05300",
        ])
    func refused(text: String) {
        #expect(code { _ = try rules(text) } == .badZone)
    }

    @Test("takes a named zone from whoever knows it, and says why there is none")
    func named() throws {
        let zone = try AskedZone.rules("Mars/Olympus") { name throws(ZoneError) in
            ZoneRules(name: name, offsetSeconds: 60)
        }
        #expect(zone.name == "Mars/Olympus")
        #expect(zone.offsetSeconds(at: 0) == 60)
        let error = #expect(throws: QueryError.self) {
            try AskedZone.rules("Mars/Olympus") { _ throws(ZoneError) in throw .noZones(folder: "/none") }
        }
        #expect(error?.code == .badZone && error?.message.contains("no time zone data in /none") == true)
        #expect(error?.message.contains("America/New_York") == true)
    }
}
