import HailCore

/// One metric expression at one dimension over one period, worked out.
package struct Series: Sendable {
    private let top: TermValues
    private let bottom: TermValues?

    /// Works out an expression over the sum of some groups.
    ///
    /// - Parameter metricIndex: where a stored metric's amounts are among the readings.
    package init(
        _ expression: MetricExpression, groups: [Int], in coverage: Coverage, readings: Readings,
        metricIndex: [String: Int]
    ) {
        func values(_ term: MetricTerm) -> TermValues {
            if let index = metricIndex[term.name], !term.isForced,
                term.constant == nil || readings.knows(metric: index)
            {
                return TermValues(
                    readings.amounts(groups: groups, metric: index, in: coverage), carry: term.carry)
            }
            return TermValues(term.constant ?? .number(.zero), in: coverage)
        }
        top = values(expression.numerator)
        bottom = expression.denominator.map(values)
    }

    /// One value a span, as JSON numbers.
    package var points: [String] {
        guard let bottom else { return top.points.map(\.text) }
        return zip(top.points, bottom.points).map { $0.text(over: $1) }
    }

    /// The value of the whole period, as a JSON number.
    package var total: String { bottom.map { top.total.text(over: $0.total) } ?? top.total.text }

    /// The total, for sorting.
    package var score: Double { bottom.map { top.total.double(over: $0.total) } ?? top.total.double }

    /// The magnitude a child's share of its parent is measured by: of a ratio, its denominator's.
    package var weight: Double { abs((bottom ?? top).total.double) }
}

/// The values of one term over the spans of a coverage.
private struct TermValues: Sendable {
    var points: [Quantity]
    var total: Quantity

    /// What was counted.
    init(_ amounts: [Amount?], carry: MetricTerm.Carry) {
        switch carry {
        case .none:
            points = amounts.map { Quantity($0 ?? .zero) }
            total = Quantity(amounts.reduce(Amount.zero) { $0 + ($1 ?? .zero) })
        case .cumulative:
            var sum = Amount.zero
            points = amounts.map {
                sum += $0 ?? .zero
                return Quantity(sum)
            }
            total = Quantity(sum)
        case .forward:
            var last = Amount.zero
            points = amounts.map {
                last = $0 ?? last
                return Quantity(last)
            }
            total = Quantity(last)
        }
    }

    /// A constant.
    init(_ constant: Constant, in coverage: Coverage) {
        let spans = coverage.spans
        switch constant {
        case .number(let number):
            points = spans.map { _ in number }
            total = number
        case .pointCount:
            total = Quantity(Int64(spans.count))
            points = spans.map { [total] _ in total }
        case .width(let unitSeconds):
            // The all-time total has no width.
            let lengths = spans.map { coverage.resolution.isAllTime ? 0 : $0.lengthSeconds }
            points = lengths.map { Quantity($0, over: unitSeconds) }
            total = Quantity(lengths.reduce(0, +), over: unitSeconds)
        case .daysInMonth:
            let months = spans.map { coverage.zone.date(at: $0.startSeconds).monthNumber }
            points = months.map { Quantity(CivilDate.daysIn(month: $0)) }
            total = Quantity(Set(months).reduce(0) { $0 + CivilDate.daysIn(month: $1) })
        }
    }
}
