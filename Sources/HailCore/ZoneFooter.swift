/// What a zone's clocks do after the last change that its file lists: a TZ text of POSIX with the extensions of RFC
/// 9636, such as `EST5EDT,M3.2.0,M11.1.0`.
struct ZoneFooter {
    /// A day of a year, and a time on it.
    private struct Rule {
        enum Day {
            /// 1…365; 29 February is never counted.
            case julian(Int64)
            /// 0…365.
            case ofYear(Int64)
            /// The week 5 is the last; the weekday 0 is Sunday.
            case weekday(month: Int64, week: Int64, weekday: Int64)
        }

        let day: Day
        /// From midnight, −167 to 167 hours.
        let seconds: Int64

        /// When it is in a year, in Unix seconds as its clocks show them.
        func localSeconds(year: Int64) -> Int64 {
            let january = CivilDate.firstDay(ofMonth: year * 12)
            let number: Int64
            switch day {
            case .julian(let count):
                let isLeap = CivilDate.daysIn(month: year * 12 + 1) == 29
                number = january + count - 1 + (isLeap && count >= 60 ? 1 : 0)
            case .ofYear(let count): number = january + count
            case .weekday(let month, let week, let weekday):
                let first = CivilDate.firstDay(ofMonth: year * 12 + month - 1)
                let firstWeekday = CivilDate(dayNumber: first + 1).daysSinceMonday
                var day = (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
                if day >= CivilDate.daysIn(month: year * 12 + month - 1) { day -= 7 }
                number = first + day
            }
            return number * 86_400 + seconds
        }
    }

    /// The calendar, weekdays and all, repeats after 400 years.
    static let cycleSeconds: Int64 = 146_097 * 86_400

    /// Seconds east of UTC outside of daylight saving time.
    let standardSeconds: Int64
    /// The other offset, when it begins and when it ends; nil where there is none.
    private let daylight: (seconds: Int64, start: Rule, end: Rule)?

    /// Whether its clocks ever change.
    var changes: Bool { daylight != nil }

    /// - Returns: nil for what is no such text; a change without its dates is none.
    init?(parsing text: [UInt8]) {
        var rest = text[...]
        guard text.count <= 256, ZoneFooter.takeName(&rest), let west = ZoneFooter.takeTime(&rest, hours: 24) else {
            return nil
        }
        standardSeconds = -west
        guard !rest.isEmpty else {
            daylight = nil
            return
        }
        guard ZoneFooter.takeName(&rest) else { return nil }
        var daylightSeconds = standardSeconds + 3_600
        if rest.first != UInt8(ascii: ",") {
            guard let west = ZoneFooter.takeTime(&rest, hours: 24) else { return nil }
            daylightSeconds = -west
        }
        guard let start = ZoneFooter.takeRule(&rest), let end = ZoneFooter.takeRule(&rest), rest.isEmpty else {
            return nil
        }
        daylight = (daylightSeconds, start, end)
    }

    /// The changes behind an instant, for somewhat longer than a cycle.
    func transitions(after last: Int64?) -> [ZoneRules.Transition] {
        guard let daylight else {
            return last.map { [ZoneRules.Transition(atSeconds: $0 + 1, offsetSeconds: standardSeconds)] } ?? []
        }
        let firstYear = last.map { CivilDate(dayNumber: $0.floorDivided(by: 86_400)).monthNumber.floorDivided(by: 12) }
        let years = (firstYear ?? 1900) - 1...(firstYear ?? 1900) + 402
        func start(_ year: Int64) -> Int64 { daylight.start.localSeconds(year: year) - standardSeconds }
        func end(_ year: Int64) -> Int64 { daylight.end.localSeconds(year: year) - daylight.seconds }
        var spans: [(start: Int64, end: Int64)] = []
        for year in years {
            let begin = start(year)
            let finish = begin < end(year) ? end(year) : end(year + 1)
            // Where one begins before the last has ended, it never ended.
            if let open = spans.last, begin <= open.end {
                spans[spans.count - 1].end = max(open.end, finish)
            } else {
                spans.append((begin, finish))
            }
        }
        let changes = spans.flatMap {
            [
                ZoneRules.Transition(atSeconds: $0.start, offsetSeconds: daylight.seconds),
                ZoneRules.Transition(atSeconds: $0.end, offsetSeconds: standardSeconds),
            ]
        }
        guard let last else { return changes }
        // What holds just behind the last one that is listed, and what changes later.
        let held = changes.last { $0.atSeconds <= last + 1 }?.offsetSeconds ?? standardSeconds
        return [ZoneRules.Transition(atSeconds: last + 1, offsetSeconds: held)]
            + changes.filter { $0.atSeconds > last + 1 }
    }

    // MARK: Parts of the text

    /// `EST`, or `<+01>`: at least three letters, or what brackets hold.
    private static func takeName(_ rest: inout ArraySlice<UInt8>) -> Bool {
        func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF) && byte < 0x80
        }
        if rest.first == UInt8(ascii: "<") {
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
            rest = rest[(end + 1)...]
            return true
        }
        let letters = rest.prefix(while: isLetter)
        rest = rest.dropFirst(letters.count)
        return letters.count >= 3
    }

    /// `5`, `-5:30`, `+167:00:00`: seconds.
    private static func takeTime(_ rest: inout ArraySlice<UInt8>, hours: Int64) -> Int64? {
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        guard var seconds = takeNumber(&rest, 0...hours).map({ $0 * 3_600 }) else { return nil }
        for unit in [Int64(60), 1] where rest.first == UInt8(ascii: ":") {
            rest = rest.dropFirst()
            guard let number = takeNumber(&rest, 0...59) else { return nil }
            seconds += number * unit
        }
        return isNegative ? -seconds : seconds
    }

    private static func takeNumber(_ rest: inout ArraySlice<UInt8>, _ allowed: ClosedRange<Int64>) -> Int64? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard (1...3).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        let number = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        return allowed.contains(number) ? number : nil
    }

    /// `,M3.2.0/2`, `,J60`, `,59/-1`.
    private static func takeRule(_ rest: inout ArraySlice<UInt8>) -> Rule? {
        guard rest.popFirst() == UInt8(ascii: ",") else { return nil }
        let day: Rule.Day
        switch rest.first {
        case UInt8(ascii: "J"):
            rest = rest.dropFirst()
            guard let count = takeNumber(&rest, 1...365) else { return nil }
            day = .julian(count)
        case UInt8(ascii: "M"):
            rest = rest.dropFirst()
            guard let month = takeNumber(&rest, 1...12), rest.popFirst() == UInt8(ascii: "."),
                let week = takeNumber(&rest, 1...5), rest.popFirst() == UInt8(ascii: "."),
                let weekday = takeNumber(&rest, 0...6)
            else { return nil }
            day = .weekday(month: month, week: week, weekday: weekday)
        default:
            guard let count = takeNumber(&rest, 0...365) else { return nil }
            day = .ofYear(count)
        }
        guard rest.first == UInt8(ascii: "/") else { return Rule(day: day, seconds: 7_200) }
        rest = rest.dropFirst()
        return takeTime(&rest, hours: 167).map { Rule(day: day, seconds: $0) }
    }
}
