import HailCore
import Testing

@testable import HailAgent

@Suite("Zone folder")
struct ZoneFolderTests {
    /// The system's own.
    private let system = ZoneFolder(ZoneFolder.standardPath)

    @Test(
        "has the zones of the system's tzdata",
        arguments: [
            // The first instants of days that are known to be odd, as Python's zoneinfo has them.
            ("America/New_York", Int64(20_520), Int64(1_772_946_000), Int64(23)),  // 2026-03-08
            ("America/New_York", 20_758, 1_793_505_600, 25),  // 2026-11-01
            ("America/Sao_Paulo", 17_839, 1_541_300_400, 23),  // 2018-11-04, which began at 01:00
            ("Asia/Beirut", 17_615, 1_521_928_800, 23),  // 2018-03-25, which began at 01:00
            ("Pacific/Apia", 15_338, 1_325_239_200, 0),  // 2011-12-30, which never was
            ("Africa/Casablanca", 20_134, 1_739_574_000, 24),  // 2025-02-15
            ("Australia/Lord_Howe", 20_548, 1_775_307_600, 24),  // 2026-04-05: half an hour more
            ("Asia/Kathmandu", 20_000, 1_727_979_300, 24),
            ("Europe/Dublin", 20_541, 1_774_742_400, 23),  // 2026-03-29
        ])
    func days(name: String, day: Int64, start: Int64, hours: Int64) throws {
        let zone = try system.rules(name)
        #expect(zone.name == name && zone.startSeconds(ofDay: day) == start)
        #expect((zone.startSeconds(ofDay: day + 1) - start) / 3_600 == hours)
        #expect(zone.dayNumber(at: start - 1) == day - 1)
    }

    @Test(
        "takes nothing for a name that could be another file",
        arguments: [
            "", "/", "/etc/passwd", "../../etc/passwd", "Europe/../Europe/Berlin", "Europe//Berlin", "Europe/Berlin/",
            ".", "posix/Europe/Berlin", "right/Europe/Berlin", "tzdata.zi", "zone.tab", "Europe/Ber lin",
            "Europe/Bérlin",
            "Europe/Berlin\u{0}", "a/b/c/d/e", String(repeating: "a", count: 65), "1/2", "-x",
        ])
    func names(name: String) {
        #expect(!ZoneFolder.isName(name))
        #expect(throws: ZoneError.unknown) { try system.rules(name) }
    }

    @Test("tells what is no zone from what is no folder")
    func missing() throws {
        #expect(throws: ZoneError.unknown) { try system.rules("Mars/Olympus") }
        #expect(throws: ZoneError.unknown) { try system.rules("Europe") }
        #expect(throws: ZoneError.noZones(folder: "/none")) { try ZoneFolder("/none").rules("Europe/Berlin") }
        let text = ZoneFolder("/made") { _ throws(SystemError) in Array("no zone".utf8) }
        let error = #expect(throws: ZoneError.self) { try text.rules("leapseconds") }
        #expect(error?.reason.contains("/made/leapseconds") == true)
        #expect(ZoneFolder.path(in: ["TZDIR": "/made"]) == "/made")
        #expect(ZoneFolder.path(in: ["TZDIR": ""]) == ZoneFolder.standardPath)
    }

    @Test("reads a file once, and remembers so many")
    func remembered() throws {
        let bytes = try BlockingIO.readFile(ZoneFolder.standardPath + "/Asia/Kathmandu", limitBytes: 1 << 18)
        let reads = Current<[String]>([])
        let folder = ZoneFolder("/made") { path throws(SystemError) in
            reads.value.append(path)
            return bytes
        }
        for _ in 0..<3 { #expect(try folder.rules("A").offsetSeconds(at: 1_700_000_000) == 20_700) }
        #expect(reads.value == ["/made/A"])
        for number in 0..<100 { _ = try folder.rules("B\(number)") }
        _ = try folder.rules("B99")
        #expect(reads.value.count == 101)
        _ = try folder.rules("A")
        #expect(reads.value.count == 102)
    }
}
