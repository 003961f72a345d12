import HailCore

/// One metric expression at one dimension over one period, worked out.
struct Series: Sendable {
    private let top: TermValues
    private let bottom: TermValues?
    /// Whether it does not add up over children: a ratio, or a timer's mean, extreme or percentile.
    let isRate: Bool

    /// Works out an expression over some groups taken together.
    ///
    /// - Parameters:
    ///   - kinds: of the metrics that are named without one.
    ///   - isTotal: whether the total is all that is wanted; the points are then not those of the spans.
    init(
        _ expression: MetricExpression, groups: [Int], in coverage: Coverage, readings: Readings, kinds: [Name: Kind],
        isTotal: Bool
    ) {
        func values(_ term: MetricTerm) -> TermValues {
            if let kind = term.kind(known: kinds) {
                return TermValues(term, as: kind, groups: groups, in: coverage, readings, isTotal: isTotal)
            }
            return TermValues(term.constant ?? .number(.zero), in: coverage)
        }
        top = values(expression.numerator)
        bottom = expression.denominator.map(values)
        let isTimer = expression.numerator.kind(known: kinds) == .timer
        isRate = bottom != nil || isTimer && ![.count, .sum].contains(expression.numerator.timerStatistic)
    }

    /// One value a span, as JSON numbers.
    var points: [String] {
        guard let bottom else { return top.points.map(\.text) }
        return zip(top.points, bottom.points).map { $0.text(over: $1) }
    }

    /// Appends `[time,value]` of every span, a comma between them.
    ///
    /// - Parameter times: of the spans, as JSON numbers, oldest first.
    func appendPoints(times: TextList, isDescending: Bool, to text: inout [UInt8]) {
        times.withTexts { times in
            top.points.withUnsafeBufferPointer { values in
                for place in values.indices {
                    let index = isDescending ? values.count - 1 - place : place
                    guard let time = times[index] else { continue }
                    if place > 0 { text.append(UInt8(ascii: ",")) }
                    text.append(UInt8(ascii: "["))
                    text.append(contentsOf: time)
                    text.append(UInt8(ascii: ","))
                    if let bottom {
                        text += values[index].text(over: bottom.points[index]).utf8
                    } else {
                        values[index].append(to: &text)
                    }
                    text.append(UInt8(ascii: "]"))
                }
            }
        }
    }

    /// The value of the whole period, as a JSON number.
    var total: String { bottom.map { top.total.text(over: $0.total) } ?? top.total.text }

    /// The total of what is above the line, as a JSON number.
    var numeratorTotal: String { top.total.text }

    /// The total, for sorting.
    var score: Double { bottom.map { top.total.double(over: $0.total) } ?? top.total.double }

    /// Of a rate, what there is more than there would be by another rate: the difference times the weight.
    func excess(over rate: Double) -> Double {
        bottom.map { top.total.double - rate * $0.total.double } ?? (score - rate) * weight
    }

    /// What a child's share of its parent is measured by: the total's magnitude, of a timer its count, of a ratio its
    /// denominator's.
    var weight: Double { (bottom ?? top).weight }
}
