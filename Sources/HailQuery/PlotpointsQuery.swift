package import HailCore

/// `/plotpoints`: a value for every point of a period, by dimension and metric, dense and ordered.
///
/// Where children are asked for (`depth`), the first round finds their names and the second reads their cells.
package struct PlotpointsQuery: StoreQuery {
    private enum Stage {
        case names([NamesPlan])
        case cells([ReadPlan], [DimensionTree])
    }

    private let question: Question
    private let coverage: Coverage
    private let options: PlotOptions
    private var stage: Stage

    /// Points one answer may hold.
    package static let mostPoints = 200_000

    /// Reads `pk`, `dimensions`, `metrics`, `period`, `depth`, `sort`, `limit`, `threshold`, `tz`, `with_totals` and
    /// `descending`.
    ///
    /// - Parameters:
    ///   - now: Unix seconds.
    ///   - zones: finds named zones; UTC and offsets are known without it.
    /// - Throws: whatever is wrong with a parameter, or `too_costly`.
    package init(
        parameters: [String: JSONValue], now: Int64, ladder: Ladder, digester: @escaping Digester,
        zones: ZoneRules.Finder = { _ in nil }
    ) throws(QueryError) {
        question = try Question(parameters: parameters, digester: digester, zones: zones)
        options = try PlotOptions(parameters: parameters, expressions: question.expressions)
        let value = parameters["period"] ?? .null
        guard value.isScalar else {
            throw QueryError(.badPeriod, "period", "There is one period; \(PeriodGrammar.allowed)")
        }
        let text = value.text ?? ""
        coverage = try Coverage(
            try Period(parsing: text.isEmpty ? Period.defaultText : text), now: now, zone: question.zone, ladder: ladder
        )
        if options.depth > 0 {
            stage = .names(try question.namesPlans(in: coverage))
        } else {
            stage = .names([])
            stage = try cellsStage(question.subjects.paths.map { _ in DimensionTree(asked: question.dimensions.paths) })
        }
    }

    private func cellsStage(_ trees: [DimensionTree]) throws(QueryError) -> Stage {
        let expressions = question.expressions + (question.expressions.contains(options.sort) ? [] : [options.sort])
        return .cells(
            try question.plans(groups: trees.map(\.paths), expressions: expressions, coverages: [coverage]), trees)
    }

    package var subjects: [[String]] { question.subjects.paths }

    package var commands: [[[UInt8]]] {
        switch stage {
        case .names(let plans): plans.flatMap(\.commands)
        case .cells(let plans, _): plans.flatMap(\.commands)
        }
    }

    package mutating func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        var rest = replies[...]
        switch stage {
        case .names(let plans):
            var trees: [DimensionTree] = []
            for plan in plans {
                let names = try plan.names(in: rest.prefix(plan.commands.count))
                rest = rest.dropFirst(plan.commands.count)
                trees.append(
                    DimensionTree(asked: question.dimensions.paths, children: names.children, depth: options.depth))
            }
            stage = try cellsStage(trees)
            return nil
        case .cells(let plans, let trees):
            var answers: [JSONValue] = []
            var points = 0
            for (plan, tree) in zip(plans, trees) {
                let readings = try plan.readings(from: rest.prefix(plan.commands.count))
                rest = rest.dropFirst(plan.commands.count)
                let chosen = choose(tree, plan, readings)
                points += chosen.count * question.expressions.count * coverage.spans.count
                guard points <= PlotpointsQuery.mostPoints else {
                    throw QueryError(
                        .tooCostly, "limit",
                        "The answer would hold more than \(PlotpointsQuery.mostPoints) points; ask for fewer "
                            + "dimensions or metrics, a smaller limit or depth, a larger threshold, or a shorter period."
                    )
                }
                answers.append(answer(chosen, plan, readings))
            }
            return question.subjects.answer(answers)
        }
    }

    /// The series of an answer, in order: what was asked for, then its children as they are sorted.
    private func choose(_ tree: DimensionTree, _ plan: ReadPlan, _ readings: Readings) -> [DimensionTree.Selection] {
        let metricIndex = plan.metricIndex
        func series(_ expression: MetricExpression, _ groups: [Int]) -> Series {
            Series(expression, groups: groups, in: coverage, readings: readings, metricIndex: metricIndex)
        }
        var children = tree.children
        if options.threshold > 0, let first = question.expressions.first {
            children = tree.folded(threshold: options.threshold) { series(first, [$0]).weight }
        }
        let sorted = children.map { ($0, series(options.sort, $0.groups).score) }
            .sorted { left, right in
                if left.1 != right.1 { return (left.1 < right.1) == options.isAscending }
                return left.0.path.lexicographicallyPrecedes(right.0.path)
            }
            .map(\.0)
        let room = options.limit.map { max(0, $0 - tree.asked.count) } ?? sorted.count
        return tree.asked + sorted.prefix(room)
    }

    private func answer(
        _ chosen: [DimensionTree.Selection], _ plan: ReadPlan, _ readings: Readings
    ) -> JSONValue {
        let metricIndex = plan.metricIndex
        var members = chosen.map { selection in
            JSONValue.Member(
                DimensionKey.text(selection.path),
                .object(
                    question.expressions.map { expression in
                        let series = Series(
                            expression, groups: selection.groups, in: coverage, readings: readings,
                            metricIndex: metricIndex)
                        return JSONValue.Member(expression.text, points(of: series))
                    }))
        }
        if let truncatedBefore = coverage.truncatedBefore {
            members.append(JSONValue.Member("truncated_before", .number(String(truncatedBefore))))
        }
        return .object(members)
    }

    /// `[[unix_ms, value], …]`, and `["Total", value]` after the newest where totals were asked for.
    private func points(of series: Series) -> JSONValue {
        var points = zip(coverage.spans, series.points).map { span, value in
            JSONValue.array([.number(String(span.startSeconds * 1_000)), .number(value)])
        }
        if options.withTotals { points.append(.array([.string("Total"), .number(series.total)])) }
        return .array(options.isDescending ? points.reversed() : points)
    }
}
