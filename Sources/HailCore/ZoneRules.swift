/// How far a time zone's clocks are from UTC, and when that changes.
///
/// A class, so that every resolution of a zone shares one table.
package final class ZoneRules: Hashable, Sendable {
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

    /// Finds the rules of a zone by its IANA name.
    package typealias Finder = @Sendable (String) throws(ZoneError) -> ZoneRules

    /// Offsets lie within this of UTC, either way.
    package static let farthestSeconds: Int64 = 26 * 3_600

    package let name: String
    private let firstOffsetSeconds: Int64
    /// By time; each has another offset than the one before.
    private let transitions: [Transition]
    /// What the last transitions repeat after for ever; nil where the last offset stays.
    private let cycleSeconds: Int64?

    package static let utc = ZoneRules(name: "UTC", offsetSeconds: 0)

    /// - Parameters:
    ///   - offsetSeconds: before the first transition, within `farthestSeconds` as all others.
    ///   - transitions: in any order; of those at one instant the last counts.
    ///   - cycleSeconds: what is true at an instant behind the last transition is what was true so much earlier; the
    ///     transitions reach back so far from the last one.
    package init(name: String, offsetSeconds: Int64, transitions: [Transition] = [], cycleSeconds: Int64? = nil) {
        self.name = name
        firstOffsetSeconds = offsetSeconds
        var kept: [Transition] = []
        for transition in transitions.enumerated().sorted(by: {
            ($0.element.atSeconds, $0.offset) < ($1.element.atSeconds, $1.offset)
        }).map(\.element) {
            if kept.last?.atSeconds == transition.atSeconds { kept.removeLast() }
            if (kept.last?.offsetSeconds ?? offsetSeconds) != transition.offsetSeconds { kept.append(transition) }
        }
        self.transitions = kept
        self.cycleSeconds = cycleSeconds
    }

    /// Whether its clocks show UTC.
    package var isUTC: Bool { firstOffsetSeconds == 0 && transitions.isEmpty }

    /// Whether its clocks always show the same as another's, whatever the two are called.
    package func agrees(with other: ZoneRules) -> Bool {
        self === other
            || firstOffsetSeconds == other.firstOffsetSeconds && transitions == other.transitions
                && cycleSeconds == other.cycleSeconds
    }

    package static func == (left: ZoneRules, right: ZoneRules) -> Bool {
        left.name == right.name && left.agrees(with: right)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// How much later the table has what is true at an instant.
    private func shift(to instant: Int64) -> Int64 {
        guard let cycleSeconds, let last = transitions.last?.atSeconds, instant > last else { return 0 }
        return ((instant - last - 1) / cycleSeconds + 1) * cycleSeconds
    }

    /// How many transitions there were up to an instant of the table.
    private func count(upTo instant: Int64) -> Int {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].atSeconds <= instant { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Seconds east of UTC at an instant.
    package func offsetSeconds(at instant: Int64) -> Int64 {
        let count = count(upTo: instant - shift(to: instant))
        return count == 0 ? firstOffsetSeconds : transitions[count - 1].offsetSeconds
    }

    /// The first instant at which its clocks show a time of day or a later one.
    ///
    /// - Parameter localSeconds: what the clocks show, counted as if it were UTC.
    package func firstInstant(showing localSeconds: Int64) -> Int64 {
        // Nowhere are the clocks so far ahead that they could show it before.
        let earliest = localSeconds - ZoneRules.farthestSeconds
        let shift = shift(to: localSeconds + ZoneRules.farthestSeconds)
        var index = count(upTo: earliest - shift)
        while true {
            let offset = index == 0 ? firstOffsetSeconds : transitions[index - 1].offsetSeconds
            let start = index == 0 ? Int64.min : transitions[index - 1].atSeconds + shift
            let instant = max(start, localSeconds - offset)
            guard index < transitions.count, transitions[index].atSeconds + shift <= instant else { return instant }
            index += 1
        }
    }

    /// The first instant of a day, counted from 1970-01-01: also where the clocks skip midnight, or the whole day, or
    /// show midnight twice.
    package func startSeconds(ofDay number: Int64) -> Int64 { firstInstant(showing: number * 86_400) }

    package func startSeconds(of date: CivilDate) -> Int64 { startSeconds(ofDay: date.dayNumber) }

    /// The day that has begun last at an instant.
    ///
    /// Where clocks are put back across a midnight, that is not the date they show until they show it again: no day
    /// comes twice.
    package func dayNumber(at instant: Int64) -> Int64 {
        var number = (instant + offsetSeconds(at: instant)).floorDivided(by: 86_400)
        while startSeconds(ofDay: number + 1) <= instant { number += 1 }
        return number
    }

    /// The date of the day at an instant.
    package func date(at instant: Int64) -> CivilDate { CivilDate(dayNumber: dayNumber(at: instant)) }

    /// The offsets that hold at any time from an instant on; the instant lies in the table.
    package func offsets(from instant: Int64) -> Set<Int64> {
        Set(transitions[count(upTo: instant)...].map(\.offsetSeconds)).union([offsetSeconds(at: instant)])
    }
}
