package import HailCore

/// `/plotpoints`: a value for every point of a period, by dimension and metric, dense and ordered.
///
/// Where children are asked for (`depth`), the first round finds their names and the second reads their cells.
package struct PlotpointsQuery: StoreQuery {
    private enum Stage {
        case names(NamesRound)
        case cells(CellRound, [DimensionTree])
    }

    private let question: Question
    private let options: PlotOptions
    private var stage: Stage

    /// Points one answer may hold.
    package static let mostPoints = 200_000

    /// Reads `pk`, `dimensions`, `metrics`, `period`, `depth`, `sort`, `limit`, `threshold`, `tz`, `with_totals` and
    /// `descending`.
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
        let question = try Question(parameters: parameters, digester: digester, zones: zones) {
            zone throws(QueryError) in
            let value = parameters["period"] ?? .null
            guard value.isScalar else {
                throw QueryError(.badPeriod, "period", "There is one period; \(PeriodGrammar.allowed)")
            }
            let text = value.text ?? ""
            return PeriodChoice(
                periods: [try Period(parsing: text.isEmpty ? Period.defaultText : text)], isDefault: false,
                parameter: "period", now: now, zone: zone, history: history)
        }
        let options = try PlotOptions(parameters: parameters, expressions: question.expressions)
        let expressions = PlotpointsQuery.expressions(question, options)
        if options.depth > 0 {
            stage = .names(try question.namesRound(expressions: expressions))
        } else {
            stage = .cells(
                try question.round(groups: question.allDimensions, expressions: expressions),
                question.allDimensions.map { DimensionTree(asked: $0) })
        }
        self.question = question
        self.options = options
    }

    /// What has to be worked out: what is shown and what is sorted by.
    private static func expressions(_ question: Question, _ options: PlotOptions) -> [MetricExpression] {
        question.expressions + (question.expressions.contains(options.sort) ? [] : [options.sort])
    }

    private func cellsStage(_ trees: [DimensionTree], kinds: [[Name: Kind]]) throws(QueryError) -> Stage {
        .cells(
            try question.round(
                groups: trees.map(\.paths), expressions: PlotpointsQuery.expressions(question, options), kinds: kinds),
            trees)
    }

    package var subjects: [[String]] { question.subjects.paths }

    package var commands: [[[UInt8]]] {
        switch stage {
        case .names(let round): round.commands
        case .cells(let round, _): round.commands
        }
    }

    package mutating func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        switch stage {
        case .names(let round):
            let results = try round.results(of: replies[...])
            let trees = results.map {
                DimensionTree(asked: question.dimensions.paths, children: $0.names.children, depth: options.depth)
            }
            stage = try cellsStage(trees, kinds: results.map(\.kinds))
            return nil
        case .cells(let round, let trees):
            switch try round.outcome(of: replies[...]) {
            case .again(let kinds):
                stage = try cellsStage(trees, kinds: kinds)
                return nil
            case .done(let results): return try answer(results, trees)
            }
        }
    }

    private func answer(_ results: [CellRound.Result], _ trees: [DimensionTree]) throws(QueryError) -> JSONValue {
        var answers: [JSONValue] = []
        var points = 0
        for (result, tree) in zip(results, trees) {
            // One period is asked for, so that one coverage answers it.
            guard let coverage = result.coverages.first else { continue }
            let chosen = choose(tree, result, coverage)
            points += chosen.count * question.expressions.count * coverage.spans.count
            guard points <= PlotpointsQuery.mostPoints else {
                throw QueryError(
                    .tooCostly, "limit",
                    "The answer would hold more than \(PlotpointsQuery.mostPoints) points; ask for fewer dimensions or "
                        + "metrics, a smaller limit or depth, a larger threshold, or a shorter period.")
            }
            answers.append(answer(chosen, result, coverage))
        }
        return question.subjects.answer(answers)
    }

    /// The series of an answer, in order: what was asked for, then its children as they are sorted.
    private func choose(
        _ tree: DimensionTree, _ result: CellRound.Result, _ coverage: Coverage
    ) -> [DimensionTree.Selection] {
        func series(_ expression: MetricExpression, _ groups: [Int]) -> Series {
            result.series(expression, groups: groups, in: coverage)
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

    private func answer(
        _ chosen: [DimensionTree.Selection], _ result: CellRound.Result, _ coverage: Coverage
    ) -> JSONValue {
        var members = chosen.map { selection in
            JSONValue.Member(
                DimensionKey.text(selection.path),
                .object(
                    question.expressions.map { expression in
                        let series = result.series(expression, groups: selection.groups, in: coverage)
                        return JSONValue.Member(expression.name.text, points(of: series, in: coverage))
                    }))
        }
        if let truncatedBefore = coverage.truncatedBefore {
            members.append(JSONValue.Member("truncated_before", .number(String(truncatedBefore))))
        }
        return .object(members)
    }

    /// `[[unix_ms, value], …]`, and `["Total", value]` after the newest where totals were asked for.
    private func points(of series: Series, in coverage: Coverage) -> JSONValue {
        var points = zip(coverage.spans, series.points).map { span, value in
            JSONValue.array([.number(String(span.startSeconds * 1_000)), .number(value)])
        }
        if options.withTotals { points.append(.array([.string("Total"), .number(series.total)])) }
        return .array(options.isDescending ? points.reversed() : points)
    }
}
