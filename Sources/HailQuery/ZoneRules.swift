import HailCore

/// How far a time zone's clocks are from UTC, and when that changes.
///
/// A value, so that whoever reads tables of zones stays outside this target: fixed offsets have no transitions.
package struct ZoneRules: Hashable, Sendable {
    /// An instant from which another offset holds.
    package struct Transition: Hashable, Sendable {
        /// Unix seconds of the first instant with the new offset.
        package let atSeconds: Int64
        /// Seconds east of UTC from then on.
        package let offsetSeconds: Int64

        package init(atSeconds: Int64, offsetSeconds: Int64) {
            self.atSeconds = atSeconds
            self.offsetSeconds = offsetSeconds
        }
    }

    /// Finds the rules of a zone by its IANA name; nil for a name it does not know.
    package typealias Finder = @Sendable (String) -> ZoneRules?

    package let name: String
    private let firstOffsetSeconds: Int64
    private let transitions: [Transition]

    package static let utc = ZoneRules(name: "UTC", offsetSeconds: 0)

    /// - Parameter transitions: in any order; they are kept sorted by time.
    package init(name: String, offsetSeconds: Int64, transitions: [Transition] = []) {
        self.name = name
        firstOffsetSeconds = offsetSeconds
        self.transitions = transitions.sorted { $0.atSeconds < $1.atSeconds }
    }

    /// Reads `UTC`, `±HHMM`, `±HH:MM`, or a name the finder knows.
    ///
    /// A leading space is a `+` that a query string lost.
    ///
    /// - Throws: `bad_tz`.
    package init(parsing text: String, finder: Finder) throws(QueryError) {
        if text.isEmpty || ["UTC", "Etc/UTC", "GMT", "Z"].contains(text) {
            self = .utc
        } else if let offset = ZoneRules.offset(parsing: text) {
            self.init(name: text, offsetSeconds: offset)
        } else if let found = finder(text) {
            self = found
        } else {
            throw QueryError(
                .badZone, "tz", "\(quoted(text)) is no known time zone; write UTC or an offset such as +0530 or -05:00."
            )
        }
    }

    private static func offset(parsing text: String) -> Int64? {
        var bytes = Array(text.utf8)
        guard bytes.count >= 5, bytes.count <= 6 else { return nil }
        if bytes.count == 6 {
            guard bytes[3] == UInt8(ascii: ":") else { return nil }
            bytes.remove(at: 3)
        }
        let digits = bytes.dropFirst().map { Int64($0) - 48 }
        guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        let minutes = digits[2] * 10 + digits[3]
        let seconds = (digits[0] * 10 + digits[1]) * 3_600 + minutes * 60
        guard minutes < 60, seconds <= 14 * 3_600 else { return nil }
        switch bytes[0] {
        case UInt8(ascii: "+"), UInt8(ascii: " "): return seconds
        case UInt8(ascii: "-"): return -seconds
        default: return nil
        }
    }

    /// Whether its days are the days of UTC.
    package var isUTC: Bool { firstOffsetSeconds == 0 && transitions.isEmpty }

    /// Seconds east of UTC at an instant.
    package func offsetSeconds(at instant: Int64) -> Int64 {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].atSeconds <= instant { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? firstOffsetSeconds : transitions[low - 1].offsetSeconds
    }

    /// The date its calendars show at an instant.
    package func date(at instant: Int64) -> CivilDate {
        CivilDate(dayNumber: (instant + offsetSeconds(at: instant)).floorDivided(by: 86_400))
    }

    /// The first instant of a day, also where the clocks skip midnight or show it twice.
    package func startSeconds(of date: CivilDate) -> Int64 {
        let local = date.dayNumber * 86_400
        // No zone is more than a day from UTC, so these two are the only offsets midnight can have.
        let before = offsetSeconds(at: local - 86_400)
        let after = offsetSeconds(at: local + 86_400)
        let candidates = [local - before, local - after].sorted()
        if let start = candidates.first(where: { $0 + offsetSeconds(at: $0) == local }) { return start }
        let skipped = transitions.first { candidates[0]...candidates[1] ~= $0.atSeconds }
        return skipped?.atSeconds ?? candidates[0]
    }
}
