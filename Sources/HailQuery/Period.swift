package import HailCore

/// A period as users ask for it: how long one point is and which points there are.
package struct Period: Hashable, Sendable {
    /// How long one point is.
    package enum Width: Hashable, Sendable {
        case seconds(Int64)
        /// Months of the calendar; `1y` is twelve of them.
        case months(Int64)
    }

    package enum Shape: Hashable, Sendable {
        /// The last `count` points of a width, the last of them the one now running.
        case rolling(Width, count: Int64)
        /// From the day's first instant, by hours.
        case today
        case yesterday
        case weekToDate
        case monthToDate
        case yearToDate
        /// Whole days, both included.
        case days(CivilDate, CivilDate)
        /// Unix seconds, half-open; as wide a point as the store keeps finest for so long ago.
        case range(from: Int64, until: Int64)
        case all
    }

    /// Points an answer holds at most in one series.
    package static let mostPoints: Int64 = 10_000

    /// The text as asked: it is the period's name in the answer.
    package let text: String
    package let shape: Shape

    /// What `/totals` answers where no period is named.
    package static let defaultTexts = ["1m:1h", "1h:1d", "1d:1w", "1d:1mo", "1d:1y"]
    /// What `/plotpoints` answers where no period is named.
    package static let defaultText = "thirty"

    /// Reads a period.
    ///
    /// - Parameter parameter: the name the caller gave it under, for the error.
    /// - Throws: `bad_period`, or `too_costly` where it has more than `mostPoints` points.
    package init(parsing text: String, parameter: String = "period") throws(QueryError) {
        let trimmed = MetricTerm.trimmed(Substring(text))
        self.text = String(trimmed)
        guard let shape = try PeriodGrammar.shape(of: trimmed, parameter: parameter) else {
            throw QueryError(.badPeriod, parameter, "\(quoted(text)) is no period; \(PeriodGrammar.allowed)")
        }
        self.shape = shape
    }

    /// The spans of its points, oldest first, each beginning where the one before ends.
    ///
    /// Widths under a day are multiples since the epoch; days, weeks (from Monday) and months are the zone's, and the
    /// hours of today begin at its midnight. A range is one span and `all` is the one from 0 until the next second.
    ///
    /// - Throws: `too_costly` where there are more than `mostPoints`.
    package func windows(now: Int64, zone: ZoneRules, parameter: String = "period") throws(QueryError) -> [TimeSpan] {
        let today = zone.date(at: now)
        switch shape {
        case .rolling(let width, let count):
            return Period.rolling(width, count: count, now: now, zone: zone)
        case .today:
            let midnight = zone.startSeconds(of: today)
            let end = zone.startSeconds(ofDay: today.dayNumber + 1)
            return Period.spans((0...(now - midnight) / 3_600 + 1).map { min(midnight + $0 * 3_600, end) })
        case .yesterday:
            return Period.days(today.dayNumber - 1, today.dayNumber - 1, zone)
        case .weekToDate:
            return Period.days(today.dayNumber - today.daysSinceMonday, today.dayNumber, zone)
        case .monthToDate:
            return Period.days(CivilDate.firstDay(ofMonth: today.monthNumber), today.dayNumber, zone)
        case .yearToDate:
            let january = today.monthNumber.floorDivided(by: 12) * 12
            return Period.days(CivilDate.firstDay(ofMonth: january), today.dayNumber, zone)
        case .days(let first, let last):
            return Period.days(first.dayNumber, last.dayNumber, zone)
        case .range(let from, let until):
            return [TimeSpan(startSeconds: from, endSeconds: until)]
        case .all:
            return [TimeSpan(startSeconds: 0, endSeconds: max(1, now + 1))]
        }
    }

    private static func days(_ first: Int64, _ last: Int64, _ zone: ZoneRules) -> [TimeSpan] {
        spans((first...last + 1).map { zone.startSeconds(of: CivilDate(dayNumber: $0)) })
    }

    private static func rolling(_ width: Width, count: Int64, now: Int64, zone: ZoneRules) -> [TimeSpan] {
        let today = zone.date(at: now)
        /// The boundaries of points that are numbered without gaps, up to the end of the current one.
        func boundaries(current: Int64, start: (Int64) -> Int64) -> [Int64] {
            (current - count + 1...current + 1).map(start)
        }
        switch width {
        case .months(let months):
            return spans(
                boundaries(current: today.monthNumber.floorDivided(by: months)) { number in
                    zone.startSeconds(of: CivilDate(dayNumber: CivilDate.firstDay(ofMonth: number * months)))
                })
        case .seconds(let seconds) where seconds % 86_400 == 0:
            let days = seconds / 86_400
            // Whole weeks are counted from the Monday before the epoch, three days earlier.
            let shift: Int64 = days % 7 == 0 ? 3 : 0
            return spans(
                boundaries(current: (today.dayNumber + shift).floorDivided(by: days)) { number in
                    zone.startSeconds(of: CivilDate(dayNumber: number * days - shift))
                })
        case .seconds(let seconds):
            return spans(boundaries(current: now.floorDivided(by: seconds)) { $0 * seconds })
        }
    }

    /// A day that a zone left out, to be on the other side of the date line, is no point.
    private static func spans(_ boundaries: [Int64]) -> [TimeSpan] {
        zip(boundaries, boundaries.dropFirst()).filter { $0 < $1 }.map { TimeSpan(startSeconds: $0, endSeconds: $1) }
    }
}
