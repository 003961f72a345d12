import HailCore

/// The values of one term over the spans of a coverage.
struct TermValues: Sendable {
    let points: [Quantity]
    let total: Quantity
    /// The magnitude that a child's share of its parent is measured by.
    let weight: Double

    /// What is stored of a metric at some groups, taken together.
    ///
    /// A span without anything is 0, whatever the kind.
    ///
    /// - Parameter isTotal: whether the total is all that is wanted, and the points may be one.
    init(
        _ term: MetricTerm, as kind: Kind, groups: [Int], in coverage: Coverage, _ readings: Readings, isTotal: Bool
    ) {
        func tallies<Content>(_ table: TallyTable<Content>, of cells: [Int]) -> [Content?] {
            // What is carried forward is known from the points alone.
            isTotal && term.carry != .forward
                ? [table.total(of: cells, in: coverage)] : table.spans(of: cells, in: coverage)
        }
        let cells = readings.cells(of: KnownNames.Metric(name: term.name, kind: kind), groups: groups)
        switch kind {
        case .counter:
            self.init(tallies(readings.counters, of: cells), carry: term.carry) { Quantity($0) }
        case .gauge:
            self.init(tallies(readings.gauges, of: cells), carry: term.carry, value: \.value)
        case .timer:
            self.init(
                tallies(readings.timers, of: cells), carry: term.carry, weight: { $0.count.double },
                value: { $0.value(term.timerStatistic) })
        case .set:
            self.init(tallies(readings.sets, of: cells), carry: term.carry, value: \.count)
        }
    }

    /// - Parameter weight: of what all spans come to; nil takes the total.
    private init<Content: Tally>(
        _ tallies: [Content?], carry: MetricTerm.Carry, weight: ((Content) -> Double)? = nil,
        value: (Content) -> Quantity
    ) {
        var all = Content.zero
        for case .some(let tally) in tallies { all.merge(tally) }
        switch carry {
        case .none:
            points = tallies.map { $0.map(value) ?? .zero }
            total = value(all)
        case .cumulative:
            var sum = Content.zero
            var last = Quantity.zero
            points = tallies.map { tally in
                guard let tally else { return last }
                sum.merge(tally)
                last = value(sum)
                return last
            }
            total = value(all)
        case .forward:
            var last = Quantity.zero
            points = tallies.map { tally in
                last = tally.map(value) ?? last
                return last
            }
            total = last
        }
        self.weight = abs(weight?(all) ?? total.double)
    }

    /// A constant.
    init(_ constant: Constant, in coverage: Coverage) {
        let spans = coverage.spans
        switch constant {
        case .number(let number):
            points = spans.map { _ in number }
            total = number
        case .pointCount:
            let count = Quantity(Int64(spans.count))
            points = spans.map { _ in count }
            total = count
        case .width(let unitSeconds):
            // The all-time total has no width.
            let lengths = spans.map { coverage.isAllTime ? 0 : $0.lengthSeconds }
            points = lengths.map { Quantity($0, over: unitSeconds) }
            total = Quantity(lengths.reduce(0, +), over: unitSeconds)
        case .daysInMonth:
            let months = spans.map { coverage.zone.date(at: $0.startSeconds).monthNumber }
            points = months.map { Quantity(CivilDate.daysIn(month: $0)) }
            total = Quantity(Set(months).reduce(0) { $0 + CivilDate.daysIn(month: $1) })
        }
        weight = abs(total.double)
    }
}
