package import HailCore

/// `/plotpoints`: a value for every point of a period, by dimension and metric, dense and ordered.
///
/// Where children are asked for (`depth`), the first round finds their names and the second reads their cells.
package struct PlotpointsQuery: StoreQuery {
    private let question: Question
    private let options: PlotOptions
    package let form: AnswerForm
    private var rounds: TreeRounds

    /// Points one answer may hold.
    package static let mostPoints = 500_000

    /// Reads `pk`, `dimensions`, `metrics`, `period`, `depth`, `sort`, `limit`, `threshold`, `tz`, `with_totals`,
    /// `descending` and `format`.
    ///
    /// - Parameters:
    ///   - now: Unix seconds.
    ///   - history: what the store keeps, and kept before.
    ///   - zones: finds named zones; UTC and offsets are known without it.
    /// - Throws: whatever is wrong with a parameter, `no_sketch`, or `too_costly`.
    package init(
        parameters: [String: JSONValue], now: Int64, history: LadderHistory, digester: @escaping Digester,
        zones: ZoneRules.Finder = { _ throws(ZoneError) in throw .unknown }
    ) throws(QueryError) {
        question = try Question(parameters: parameters, digester: digester, zones: zones) {
            zone throws(QueryError) in
            try PeriodChoice(single: parameters, now: now, zone: zone, history: history)
        }
        options = try PlotOptions(parameters: parameters, expressions: question.expressions)
        form = try AnswerForm(parameters)
        // What has to be worked out: what is shown and what is sorted by.
        let expressions =
            question.expressions + (question.expressions.contains(options.sort) ? [] : [options.sort])
        rounds = try TreeRounds(question, expressions: expressions, depth: options.depth)
    }

    package var subjects: [[String]] { question.subjects.paths }

    package var commands: [[[UInt8]]] { rounds.commands }

    package mutating func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        guard let results = try rounds.take(replies) else { return nil }
        var plots: [Plot] = []
        var points = 0
        for (subject, result) in zip(subjects, results) {
            // One period is asked for, so that one coverage answers it.
            guard let coverage = result.cells.coverages.first else { continue }
            let chosen = choose(result.tree, result.cells, coverage)
            points += chosen.count * question.expressions.count * (coverage.spans.count + (options.withTotals ? 1 : 0))
            guard points <= PlotpointsQuery.mostPoints else {
                throw QueryError(
                    .tooCostly, "limit",
                    "The answer would hold more than \(PlotpointsQuery.mostPoints) points; ask for fewer dimensions or "
                        + "metrics, a smaller limit or depth, a larger threshold, or a shorter period.")
            }
            plots.append(Plot(subject: subject, chosen: chosen, cells: result.cells, coverage: coverage))
        }
        return form == .nested
            ? question.subjects.answer(plots.map(nested)) : try rows(plots, count: points)
    }

    /// What is answered of one subject.
    private struct Plot {
        let subject: [String]
        let chosen: [DimensionTree.Selection]
        let cells: CellRound.Result
        let coverage: Coverage
    }

    /// The series of an answer, in order: what was asked for, then its children as they are sorted.
    private func choose(
        _ tree: DimensionTree, _ result: CellRound.Result, _ coverage: Coverage
    ) -> [DimensionTree.Selection] {
        func series(_ expression: MetricExpression, _ groups: [Int]) -> Series {
            result.series(expression, groups: groups, in: coverage, isTotal: true)
        }
        var children = tree.children
        if options.threshold > 0, let first = question.expressions.first {
            children = tree.folded(threshold: options.threshold) { series(first, [$0]).weight }
        }
        let sorted = children.map { ($0, series(options.sort, $0.groups).score) }
            .sorted { left, right in
                if left.1 != right.1 { return (left.1 < right.1) == options.isAscending }
                return Name.path(left.0.path).lexicographicallyPrecedes(Name.path(right.0.path))
            }
            .map(\.0)
        let room = options.limit.map { max(0, $0 - tree.asked.count) } ?? sorted.count
        return tree.asked + sorted.prefix(room)
    }

    private func nested(_ plot: Plot) -> JSONValue {
        let coverage = plot.coverage
        let times = TextList(coverage.spans.map { Array("\($0.startSeconds * 1_000)".utf8) })
        var members = plot.chosen.map { selection in
            JSONValue.Member(
                DimensionKey.text(selection.path),
                .object(
                    question.expressions.map { expression in
                        let series = plot.cells.series(expression, groups: selection.groups, in: coverage)
                        return JSONValue.Member(expression.name.text, points(of: series, times: times))
                    }))
        }
        if let truncatedBefore = coverage.truncatedBefore {
            members.append(JSONValue.Member("truncated_before", .number(String(truncatedBefore))))
        }
        return .object(members)
    }

    /// `[[unix_ms, value], …]`, and `["Total", value]` after the newest where totals were asked for.
    ///
    /// - Parameter times: of the points, oldest first.
    private func points(of series: Series, times: TextList) -> JSONValue {
        var text: [UInt8] = []
        // Enough for values of a few digits.
        text.reserveCapacity(64 + times.count * 24)
        text.append(UInt8(ascii: "["))
        let total = options.withTotals ? "[\"Total\",\(series.total)]" : ""
        let comma = total.isEmpty || times.isEmpty ? "" : ","
        if options.isDescending { text += (total + comma).utf8 }
        series.appendPoints(times: times, isDescending: options.isDescending, to: &text)
        if !options.isDescending { text += (comma + total).utf8 }
        text.append(UInt8(ascii: "]"))
        return .written(text)
    }

    private func rows(_ plots: [Plot], count: Int) throws(QueryError) -> JSONValue {
        let hasSubjects = plots.count > 1
        let isTruncated = plots.contains { $0.coverage.truncatedBefore != nil }
        var writer = try RowWriter(
            form,
            columns: ["t", "metric", "value", "dimension"] + (hasSubjects ? ["subject"] : [])
                + (isTruncated ? ["truncated_before"] : []),
            paths: plots.flatMap { $0.chosen.map(\.path) }, rowCount: count)
        for plot in plots {
            let truncated = plot.coverage.truncatedBefore.map { RowWriter.Cell.number("\($0)") } ?? .missing
            for selection in plot.chosen {
                let ending = writer.ending(
                    [.text(DimensionKey.text(selection.path))]
                        + (hasSubjects ? [.text(DimensionKey.text(plot.subject))] : [])
                        + (isTruncated ? [truncated] : []), path: selection.path)
                for expression in question.expressions {
                    let series = plot.cells.series(expression, groups: selection.groups, in: plot.coverage)
                    var points: [(RowWriter.Cell, String)] = zip(plot.coverage.spans, series.points).map {
                        (.number("\($0.startSeconds * 1_000)"), $1)
                    }
                    if options.withTotals { points.append((.missing, series.total)) }
                    if options.isDescending { points.reverse() }
                    for (time, value) in points {
                        try writer.add([time, .text(expression.name.text), .number(value)], ending: ending)
                    }
                }
            }
        }
        return writer.finished()
    }
}
