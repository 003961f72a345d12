import HailCore
import Testing

@Suite("Zone rules")
struct ZoneRulesTests {
    /// The day that most of these tests are about.
    private static let day: Int64 = 20_000
    private static let midnight = day * 86_400

    private func zone(_ first: Int64, _ changes: (Int64, Int64)...) -> ZoneRules {
        ZoneRules(
            name: "test", offsetSeconds: first,
            transitions: changes.map { ZoneRules.Transition(atSeconds: $0.0, offsetSeconds: $0.1) })
    }

    @Test("find a day's start where the clocks skip midnight or show it twice")
    func oddMidnights() {
        let (day, midnight) = (Self.day, Self.midnight)
        // At local midnight the clocks go to 01:00: the day begins at 01:00, that very instant.
        let skipped = zone(-10_800, (midnight + 10_800, -7_200))
        #expect(skipped.startSeconds(ofDay: day) == midnight + 10_800)
        #expect(skipped.dayNumber(at: midnight + 10_799) == day - 1)
        #expect(skipped.dayNumber(at: midnight + 10_800) == day)
        #expect(skipped.startSeconds(ofDay: day + 1) - skipped.startSeconds(ofDay: day) == 23 * 3_600)
        // At 01:00 the clocks go back to midnight: the first of the two counts.
        let repeated = zone(-14_400, (midnight + 14_400 + 3_600, -18_000))
        #expect(repeated.startSeconds(ofDay: day) == midnight + 14_400)
        #expect(repeated.startSeconds(ofDay: day + 1) - repeated.startSeconds(ofDay: day) == 25 * 3_600)
    }

    @Test("go on with a day that has begun, where the clocks go back before its midnight")
    func backAcrossMidnight() {
        let (day, midnight) = (Self.day, Self.midnight)
        // As in Newfoundland until 2011: at 00:01 back to 23:01 of the day before.
        let zone = zone(-9_000, (midnight + 9_000 + 60, -12_600))
        #expect(zone.startSeconds(ofDay: day) == midnight + 9_000)
        for second in stride(from: midnight + 9_000, to: midnight + 9_000 + 7_200, by: 30) {
            #expect(zone.dayNumber(at: second) == day)
        }
        #expect(zone.startSeconds(ofDay: day + 1) == midnight + 86_400 + 12_600)
    }

    @Test("give a day that was left out no length, and one that came twice both of its lengths")
    func dateLine() {
        let (day, midnight) = (Self.day, Self.midnight)
        // As in Samoa: at midnight from UTC−10 to UTC+14.
        let left = zone(-36_000, (midnight + 36_000, 50_400))
        #expect(left.startSeconds(ofDay: day) == midnight + 36_000)
        #expect(left.startSeconds(ofDay: day + 1) == midnight + 36_000)
        #expect(left.dayNumber(at: midnight + 36_000 - 1) == day - 1)
        #expect(left.dayNumber(at: midnight + 36_000) == day + 1)
        // As in Alaska: back by a day.
        let twice = zone(50_400, (midnight - 50_400 + 43_200, -36_000))
        #expect(twice.startSeconds(ofDay: day + 1) - twice.startSeconds(ofDay: day) == 48 * 3_600)
        #expect(twice.dayNumber(at: midnight - 50_400 + 86_400) == day)
    }

    @Test("number days without gaps, each beginning where the one before ends", arguments: 0..<60)
    func days(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        var instant = Self.midnight
        var changes: [ZoneRules.Transition] = []
        for _ in 0..<12 {
            instant += Int64.random(in: 1...200_000, using: &generator)
            changes.append(
                ZoneRules.Transition(
                    atSeconds: instant, offsetSeconds: Int64.random(in: -26...26, using: &generator) * 3_600))
        }
        let zone = ZoneRules(name: "wild", offsetSeconds: 0, transitions: changes.shuffled(using: &generator))
        for _ in 0..<300 {
            let second = Int64.random(in: Self.midnight - 200_000...instant + 200_000, using: &generator)
            let day = zone.dayNumber(at: second)
            #expect(zone.startSeconds(ofDay: day) <= second && second < zone.startSeconds(ofDay: day + 1))
            // The latest local time so far says which day it is.
            var latest = second + zone.offsetSeconds(at: second)
            for change in changes where change.atSeconds <= second {
                latest = max(latest, change.atSeconds - 1 + zone.offsetSeconds(at: change.atSeconds - 1))
                latest = max(latest, change.atSeconds + change.offsetSeconds)
            }
            #expect(day == latest.floorDivided(by: 86_400))
        }
    }

    @Test("repeat their last years for ever where they are told to")
    func cycle() {
        let year: Int64 = 365 * 86_400
        let zone = ZoneRules(
            name: "yearly", offsetSeconds: 0,
            transitions: (0..<6).map {
                ZoneRules.Transition(
                    atSeconds: $0 / 2 * year + $0 % 2 * year / 2, offsetSeconds: $0 % 2 == 0 ? 3_600 : 0)
            }, cycleSeconds: year)
        for later: Int64 in [0, 1, 2, 3, 4, 100, 1_000] {
            #expect(zone.offsetSeconds(at: later * year) == 3_600)
            #expect(zone.offsetSeconds(at: later * year + year / 2 - 1) == 3_600)
            #expect(zone.offsetSeconds(at: later * year + year / 2) == 0)
            #expect(zone.offsetSeconds(at: later * year + year - 1) == 0)
            #expect(zone.startSeconds(ofDay: later * 365 + 7) == (later * 365 + 7) * 86_400 - 3_600)
            #expect(zone.startSeconds(ofDay: later * 365 + 364) == (later * 365 + 364) * 86_400)
        }
    }

    @Test("agree with those of another name, and tell which offsets hold from an instant on")
    func names() {
        let calcutta = ZoneRules(name: "Asia/Calcutta", offsetSeconds: 19_800)
        #expect(calcutta.agrees(with: ZoneRules(name: "Asia/Kolkata", offsetSeconds: 19_800)))
        #expect(calcutta != ZoneRules(name: "Asia/Kolkata", offsetSeconds: 19_800))
        #expect(!calcutta.agrees(with: .utc))
        let zone = zone(60, (100, 3_600), (200, 7_200))
        #expect(zone.offsets(from: 50) == [60, 3_600, 7_200])
        #expect(zone.offsets(from: 150) == [3_600, 7_200])
        #expect(zone.offsets(from: 200) == [7_200])
    }
}
