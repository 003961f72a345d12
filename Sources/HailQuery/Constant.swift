/// A number that a term means where no stored metric has its name.
package enum Constant: Hashable, Sendable {
    case number(Quantity)
    /// The point's width in a unit of so many seconds; of a whole period, the sum of its points'.
    case width(unitSeconds: Int64)
    /// The number of points.
    case pointCount
    /// The days of the month a point begins in; of a whole period, of every month it touches.
    case daysInMonth

    /// The constant a word or number stands for, or nil.
    package init?(_ text: String) {
        switch text {
        case "seconds": self = .width(unitSeconds: 1)
        case "minutes": self = .width(unitSeconds: 60)
        case "hours": self = .width(unitSeconds: 3_600)
        case "days": self = .width(unitSeconds: 86_400)
        case "weeks": self = .width(unitSeconds: 7 * 86_400)
        case "years": self = .width(unitSeconds: 365 * 86_400)
        case "_count": self = .pointCount
        case "_days_in_month": self = .daysInMonth
        default:
            guard let number = Quantity(decimal: text) else { return nil }
            self = .number(number)
        }
    }
}
