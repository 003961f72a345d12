import HailCore
import HailQuery

/// The time of an event as HTTP writes give it (`at`): Unix seconds, fractions allowed, or ISO 8601.
enum EventTime {
    static let allowed =
        "Unix seconds, or ISO 8601 like 2026-11-23, 2026-11-23T20:57, 2026-11-23T20:57:36.5Z or …+02:00 (without a zone: UTC)"

    /// Whole Unix seconds, or nil where the text is neither.
    static func seconds(_ text: String) -> Int64? { unixSeconds(text) ?? isoSeconds(text) }

    private static func unixSeconds(_ text: String) -> Int64? {
        let halves = text.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count <= 2, let whole = digits(halves[0], 1...12) else { return nil }
        if halves.count == 2, digits(halves[1].prefix(9), 1...9) == nil || !halves[1].allSatisfy(\.isASCIIDigit) {
            return nil
        }
        return whole
    }

    private static func isoSeconds(_ text: String) -> Int64? {
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "T" || $0 == "t" || $0 == " " }
        let date = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard date.count == 3, date[0].count == 4, let year = digits(date[0], 4...4),
            let month = digits(date[1], 2...2), let day = digits(date[2], 2...2),
            let civil = CivilDate(year: year, month: month, day: day)
        else { return nil }
        let midnight = civil.dayNumber * 86_400
        guard parts.count == 2 else { return midnight }
        var clock = parts[1]
        var offset: Int64 = 0
        if clock.last == "Z" || clock.last == "z" {
            clock = clock.dropLast()
        } else if let sign = clock.lastIndex(where: { $0 == "+" || $0 == "-" }) {
            guard let zone = zoneSeconds(clock[clock.index(after: sign)...]) else { return nil }
            offset = clock[sign] == "-" ? -zone : zone
            clock = clock[..<sign]
        }
        guard let seconds = clockSeconds(clock) else { return nil }
        return midnight + seconds - offset
    }

    private static func clockSeconds(_ text: Substring) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, let hour = digits(parts[0], 2...2), hour < 24,
            let minute = digits(parts[1], 2...2), minute < 60
        else { return nil }
        guard parts.count == 3 else { return hour * 3_600 + minute * 60 }
        let fraction = parts[2].split(separator: ".", omittingEmptySubsequences: false)
        guard fraction.count <= 2, let second = digits(fraction[0], 2...2), second < 61,
            fraction.count == 1 || digits(fraction[1].prefix(9), 1...9) != nil
        else { return nil }
        return hour * 3_600 + minute * 60 + second
    }

    /// `02:00`, `0200`, `02`.
    private static func zoneSeconds(_ text: Substring) -> Int64? {
        let plain = text.filter { $0 != ":" }
        guard plain.count == 2 || plain.count == 4, let number = digits(plain[...], 2...4) else { return nil }
        let (hours, minutes) = plain.count == 2 ? (number, 0) : (number / 100, number % 100)
        return hours <= 14 && minutes < 60 ? hours * 3_600 + minutes * 60 : nil
    }

    private static func digits(_ text: some StringProtocol, _ count: ClosedRange<Int>) -> Int64? {
        guard count.contains(text.count), text.allSatisfy(\.isASCIIDigit) else { return nil }
        return Int64(text)
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
