import HailCore
import Testing

/// The bytes of a file of the zone database.
private struct FileText {
    var version = UInt8(ascii: "2")
    var offsets: [Int32] = [3_600]
    var transitions: [(Int64, UInt8)] = []
    var leapSeconds: UInt32 = 0
    var footer: String? = ""

    private func body(timeBytes: Int) -> [UInt8] {
        var out: [UInt8] = Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
        func put(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.bigEndian) { out += $0 } }
        for count in [0, 0, leapSeconds, UInt32(transitions.count), UInt32(offsets.count), 4] { put(count) }
        for (time, _) in transitions { if timeBytes == 4 { put(Int32(truncatingIfNeeded: time)) } else { put(time) } }
        out += transitions.map(\.1)
        for offset in offsets {
            put(offset)
            out += [0, 0]
        }
        out += Array("ABC\0".utf8)
        for _ in 0..<leapSeconds { out += [UInt8](repeating: 0, count: timeBytes + 4) }
        return out
    }

    var bytes: [UInt8] {
        guard version != 0 else { return body(timeBytes: 4) }
        return body(timeBytes: 4) + body(timeBytes: 8) + (footer.map { Array("\n\($0)\n".utf8) } ?? [])
    }

    var rules: ZoneRules? { ZoneFile.rules(name: "test", in: bytes) }
}

@Suite("Zone file")
struct ZoneFileTests {
    @Test("is read in every version", arguments: [UInt8(0), UInt8(ascii: "2"), UInt8(ascii: "3"), UInt8(ascii: "4")])
    func versions(version: UInt8) throws {
        let zone = try #require(
            FileText(version: version, offsets: [60, 3_600], transitions: [(-1_000, 1), (1_000, 0)]).rules)
        #expect(zone.name == "test")
        #expect([-1_001, -1_000, 999, 1_000].map { zone.offsetSeconds(at: $0) } == [60, 3_600, 3_600, 60])
    }

    /// What each rule does in 2031 and in 2440, as Python's zoneinfo has it, and glibc for days counted from 0.
    @Test(
        "goes on by the rule behind its last change",
        arguments: [
            (
                "EST5EDT,M3.2.0,M11.1.0", Int32(-18_000), Int64(-14_400), Int64(-18_000),
                [Int64(1_930_806_000), 1_951_365_600, 14_837_842_800, 14_858_402_400]
            ),
            // Ireland: winter is the exception.
            (
                "IST-1GMT0,M10.5.0,M3.5.0/1", 3_600, 3_600, 0,
                [1_932_598_800, 1_950_742_800, 14_839_030_800, 14_857_779_600]
            ),
            // Lord Howe: half an hour.
            (
                "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37_800, 37_800, 39_600,
                [1_933_167_600, 1_948_894_200, 14_839_599_600, 14_855_931_000]
            ),
            (
                "EET-2EEST,M3.5.0/0,M10.5.0/0", 7_200, 10_800, 7_200,
                [1_932_588_000, 1_950_728_400, 14_839_020_000, 14_857_765_200]
            ),
            // Greenland: an hour before the day.
            (
                "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7_200, -3_600, -7_200,
                [1_932_598_800, 1_950_742_800, 14_839_030_800, 14_857_779_600]
            ),
            (
                "IST-2IDT,M3.4.4/26,M10.5.0", 7_200, 10_800, 7_200,
                [1_932_422_400, 1_950_735_600, 14_838_854_400, 14_857_772_400]
            ),
            // 2440 has a 29 February, which J60 does not count and 59 does.
            (
                "CET-1CEST,J60,J300/24:30", 3_600, 7_200, 3_600,
                [1_930_093_200, 1_950_906_600, 14_836_957_200, 14_857_770_600]
            ),
            ("CET-1CEST,59,299", 3_600, 7_200, 3_600, [1_930_093_200, 1_950_825_600, 14_836_870_800, 14_857_603_200]),
        ])
    func footers(text: String, standard: Int32, spring: Int64, autumn: Int64, changes: [Int64]) throws {
        for transitions in [[], [(Int64(1_700_000_000), UInt8(0))]] {
            let zone = try #require(FileText(offsets: [standard], transitions: transitions, footer: text).rules)
            for (index, change) in changes.enumerated() {
                let (before, after) = index % 2 == 0 ? (autumn, spring) : (spring, autumn)
                #expect(zone.offsetSeconds(at: change - 1) == before && zone.offsetSeconds(at: change) == after)
            }
        }
    }

    @Test("may say that the exception lasts all year, or that nothing changes")
    func withoutChanges() throws {
        let always = try #require(FileText(offsets: [-10_800], footer: "XXX3EDT4,0/0,J365/23").rules)
        let never = try #require(FileText(offsets: [0, 19_800], transitions: [(5, 1)], footer: "<+0530>-5:30").rules)
        for year in 10..<800 {
            #expect(always.offsetSeconds(at: Int64(year) * 31_556_952) == -14_400)
            #expect(never.offsetSeconds(at: Int64(year) * 31_556_952) == 19_800)
        }
        #expect(never.offsetSeconds(at: 4) == 0)
    }

    @Test(
        "is refused where its rule is none",
        arguments: [
            "EST", "5", "ES5", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
            "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J300", "EST5EDT,J366,J300", "EST5EDT,366,3", "EST25", "EST5:60",
            "EST5EDT,M3.2.0/168,M11.1.0", "EST5EDT,M3.2.0,M11.1.0,", "<+01-1", "<+01>", "EST5EDT,M3.2,M11.1.0",
            "EST5EDT,M3.2.0/,M11.1.0", "EST5 ", "EST99999999999999999999",
        ])
    func badFooter(text: String) {
        #expect(FileText(footer: text).rules == nil)
    }

    @Test("is refused where it is cut, counts leap seconds, or does not add up")
    func malformed() {
        let good = FileText(offsets: [60, 3_600], transitions: [(1, 1), (2, 0)], footer: "EST5EDT,M3.2.0,M11.1.0")
        #expect(good.rules != nil)
        for count in 0..<good.bytes.count {
            #expect(ZoneFile.rules(name: "t", in: Array(good.bytes.prefix(count))) == nil)
        }
        #expect(FileText(leapSeconds: 1).rules == nil)
        #expect(FileText(offsets: []).rules == nil)
        #expect(FileText(offsets: [93_601]).rules == nil)
        #expect(FileText(offsets: [.min]).rules == nil)
        #expect(FileText(transitions: [(1, 1)]).rules == nil)
        #expect(FileText(transitions: [(2, 0), (1, 0)]).rules == nil)
        #expect(FileText(footer: nil).rules == nil)
        #expect(FileText(version: UInt8(ascii: "5")).rules == nil)
        #expect(ZoneFile.rules(name: "t", in: [UInt8](repeating: 0xFF, count: 100)) == nil)
    }

    @Test("never traps, whatever its bytes", arguments: 0..<300)
    func hostile(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        var bytes = FileText(
            offsets: [60, 3_600], transitions: [(-(1 << 59), 0), (1, 1), (2, 0)], footer: "EST5EDT,M3.2.0,M11.1.0"
        ).bytes
        for _ in 0..<(1 + generator.below(4)) {
            bytes[generator.below(bytes.count)] = UInt8(generator.below(256))
        }
        guard let zone = ZoneFile.rules(name: "t", in: bytes) else { return }
        for _ in 0..<20 {
            let second = Int64.random(in: -10_000_000_000...400_000_000_000, using: &generator)
            let day = zone.dayNumber(at: second)
            #expect(zone.startSeconds(ofDay: day) <= second && second < zone.startSeconds(ofDay: day + 1))
        }
    }
}
