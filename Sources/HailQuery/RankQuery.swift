package import HailCore

/// `/rank`: which descendants of a dimension matter, by one metric over one period.
///
/// The rules are in `Ranking`.
package struct RankQuery: StoreQuery {
    private let question: Question
    private let isRecursive: Bool
    private let prunesParents: Bool
    package let form: AnswerForm
    private var rounds: TreeRounds

    /// Reads `pk`, `dimensions`, `metrics` (one), `period`, `recursive`, `prune_parents`, `tz` and `format`.
    ///
    /// - Parameters:
    ///   - now: Unix seconds.
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
        guard question.expressions.count == 1 else {
            throw QueryError(
                .badMetric, "metrics",
                "There are \(question.expressions.count) metrics; a ranking is by one, such as hits or dollars/hits.")
        }
        isRecursive = try PlotOptions.flag("recursive", parameters, default: true)
        prunesParents = try PlotOptions.flag("prune_parents", parameters, default: true)
        form = try AnswerForm(parameters)
        rounds = try TreeRounds(
            question, expressions: question.expressions, depth: isRecursive ? Limits.pathDepth : 1)
    }

    package var subjects: [[String]] { question.subjects.paths }

    package var commands: [[[UInt8]]] { rounds.commands }

    package mutating func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        guard let results = try rounds.take(replies) else { return nil }
        var rankings: [(coverage: Coverage, byDimension: [[Ranking.Entry]])] = []
        for result in results {
            // One period is asked for, so that one coverage answers it.
            guard let coverage = result.cells.coverages.first, let expression = question.expressions.first else {
                continue
            }
            let nodes = result.tree.paths.indices.map { index in
                Ranking.Node(
                    path: result.tree.paths[index],
                    series: result.cells.series(expression, groups: [index], in: coverage, isTotal: true))
            }
            rankings.append(
                (
                    coverage,
                    question.dimensions.paths.map {
                        Ranking(nodes, below: $0, levels: isRecursive ? nil : 1, prunesParents: prunesParents).entries
                    }
                ))
        }
        guard form == .nested else { return try rows(rankings) }
        return question.subjects.answer(
            rankings.map { ranking in
                let answer = question.dimensions.answer(ranking.byDimension.map(RankQuery.nested))
                guard let truncated = ranking.coverage.truncatedBefore, case .object(let members) = answer else {
                    return answer
                }
                return .object(members + [JSONValue.Member("truncated_before", .number("\(truncated)"))])
            })
    }

    private static func nested(_ entries: [Ranking.Entry]) -> JSONValue {
        .object(
            entries.map { entry in
                JSONValue.Member(
                    DimensionKey.text(entry.path),
                    .object([
                        .init("score", .number(entry.score)), .init("value", .number(entry.value)),
                        .init("count", .number(entry.count)), .init("difference", .number(entry.difference)),
                        .init("effect", .number(entry.effect)), .init("important", .bool(entry.isImportant)),
                    ]))
            })
    }

    private func rows(
        _ rankings: [(coverage: Coverage, byDimension: [[Ranking.Entry]])]
    ) throws(QueryError) -> JSONValue {
        let all = rankings.map { Array($0.byDimension.joined()) }
        let hasSubjects = rankings.count > 1
        let isTruncated = rankings.contains { $0.coverage.truncatedBefore != nil }
        var writer = try RowWriter(
            form,
            columns: ["score", "value", "count", "difference", "effect", "important", "metric", "dimension"]
                + (hasSubjects ? ["subject"] : []) + (isTruncated ? ["truncated_before"] : []),
            paths: all.flatMap { $0.map(\.path) }, rowCount: all.reduce(0) { $0 + $1.count })
        let metric = question.expressions.first?.name.text ?? ""
        for ((subject, ranking), entries) in zip(zip(subjects, rankings), all) {
            let truncated = ranking.coverage.truncatedBefore.map { RowWriter.Cell.number("\($0)") } ?? .missing
            for entry in entries {
                try writer.add(
                    [
                        .number(entry.score), .number(entry.value), .number(entry.count), .number(entry.difference),
                        .number(entry.effect), .flag(entry.isImportant), .text(metric),
                        .text(DimensionKey.text(entry.path)),
                    ] + (hasSubjects ? [.text(DimensionKey.text(subject))] : []) + (isTruncated ? [truncated] : []),
                    path: entry.path)
            }
        }
        return writer.finished()
    }
}
