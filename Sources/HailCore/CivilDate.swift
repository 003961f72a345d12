/// A day of the proleptic Gregorian calendar, counted from 1970-01-01.
package struct CivilDate: Hashable, Comparable, Sendable {
    /// Days since 1970-01-01; negative before it.
    package let dayNumber: Int64

    package init(dayNumber: Int64) { self.dayNumber = dayNumber }

    /// A date by its parts, or nil where the calendar has no such day.
    ///
    /// Years run from 1 to 9999.
    package init?(year: Int64, month: Int64, day: Int64) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= CivilDate.daysIn(month: CivilDate.monthNumber(year: year, month: month))
        else { return nil }
        dayNumber = CivilDate.firstDay(ofMonth: CivilDate.monthNumber(year: year, month: month)) + day - 1
    }

    package static func < (left: CivilDate, right: CivilDate) -> Bool { left.dayNumber < right.dayNumber }

    /// Days since the Monday of its week, 0…6.
    ///
    /// 1970-01-01 was a Thursday.
    package var daysSinceMonday: Int64 { dayNumber + 3 - (dayNumber + 3).floorDivided(by: 7) * 7 }

    /// Months since January of year 0: `year · 12 + month − 1`.
    package var monthNumber: Int64 {
        // Counting years from March puts the leap day last, so that a month's start is linear in its number.
        let shifted = dayNumber + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        return (yearOfEra + era * 400) * 12 + marchMonth + 2
    }

    /// The number of a month; see `monthNumber`.
    package static func monthNumber(year: Int64, month: Int64) -> Int64 { year * 12 + month - 1 }

    /// The day number of a month's first day.
    package static func firstDay(ofMonth month: Int64) -> Int64 {
        let march = month - 2
        let year = march.floorDivided(by: 12)
        let era = year.floorDivided(by: 400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (march - year * 12) + 2) / 5
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The number of days of a month.
    package static func daysIn(month: Int64) -> Int64 { firstDay(ofMonth: month + 1) - firstDay(ofMonth: month) }
}
