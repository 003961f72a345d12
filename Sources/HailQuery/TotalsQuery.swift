package import HailCore

/// `/totals`: what was counted over whole periods, by period, dimension and metric.
package struct TotalsQuery: StoreQuery {
    private let question: Question
    package let form: AnswerForm
    private var round: CellRound

    /// Periods one call may ask for.
    package static let mostPeriods = 32

    /// Reads the parameters `pk`, `dimensions`, `metrics`, `periods`, `tz` and `format`.
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
            let asked = try TotalsQuery.texts(of: parameters["periods"])
            var periods: [Period] = []
            for text in asked.isEmpty ? Period.defaultTexts : asked {
                periods.append(try Period(parsing: text, parameter: "periods"))
            }
            return PeriodChoice(
                periods: periods, isDefault: asked.isEmpty, parameter: "periods", now: now, zone: zone,
                history: history)
        }
        form = try AnswerForm(parameters)
        round = try question.round(groups: question.allDimensions, expressions: question.expressions)
    }

    private static func texts(of value: JSONValue?) throws(QueryError) -> [String] {
        var texts: [String] = []
        switch value ?? .null {
        case .null: break
        case .string(let text): texts = text.split(separator: ",").map(String.init)
        case .array(let items):
            for item in items {
                guard case .string(let text) = item else { throw notAPeriod() }
                texts.append(text)
            }
        case .bool, .number, .object, .written: throw notAPeriod()
        }
        guard texts.count <= mostPeriods else {
            throw QueryError(
                .tooCostly, "periods", "There are \(texts.count) periods; \(mostPeriods) are allowed.")
        }
        return texts
    }

    private static func notAPeriod() -> QueryError {
        QueryError(.badPeriod, "periods", "The periods are a list of texts; \(PeriodGrammar.allowed)")
    }

    package var subjects: [[String]] { question.subjects.paths }

    package var commands: [[[UInt8]]] { round.commands }

    package mutating func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        switch try round.outcome(of: replies[...]) {
        case .again(let kinds):
            round = try question.round(
                groups: question.allDimensions, expressions: question.expressions, kinds: kinds)
            return nil
        case .done(let results):
            return form == .nested ? question.subjects.answer(results.map(nested)) : try rows(results)
        }
    }

    private func nested(_ result: CellRound.Result) -> JSONValue {
        var members = result.coverages.map { coverage in
            JSONValue.Member(
                coverage.period.text,
                .object(
                    result.groups.indices.map { group in
                        JSONValue.Member(
                            DimensionKey.text(result.groups[group]),
                            .object(
                                question.expressions.map { expression in
                                    let series = result.series(expression, groups: [group], in: coverage, isTotal: true)
                                    return JSONValue.Member(expression.name.text, .number(series.total))
                                }))
                    }))
        }
        let truncated = result.coverages.compactMap { coverage in
            coverage.truncatedBefore.map { JSONValue.Member(coverage.period.text, .number(String($0))) }
        }
        if !truncated.isEmpty { members.append(JSONValue.Member("truncated_before", .object(truncated))) }
        return .object(members)
    }

    private func rows(_ results: [CellRound.Result]) throws(QueryError) -> JSONValue {
        let hasSubjects = results.count > 1
        let isTruncated = results.contains { $0.coverages.contains { $0.truncatedBefore != nil } }
        let count = results.reduce(0) { $0 + $1.coverages.count * $1.groups.count } * question.expressions.count
        var writer = try RowWriter(
            form,
            columns: ["period", "metric", "value", "dimension"] + (hasSubjects ? ["subject"] : [])
                + (isTruncated ? ["truncated_before"] : []),
            paths: question.dimensions.paths, rowCount: count)
        for (subject, result) in zip(subjects, results) {
            for coverage in result.coverages {
                let truncated = coverage.truncatedBefore.map { RowWriter.Cell.number("\($0)") } ?? .missing
                for group in result.groups.indices {
                    let path = result.groups[group]
                    for expression in question.expressions {
                        let series = result.series(expression, groups: [group], in: coverage, isTotal: true)
                        try writer.add(
                            [
                                .text(coverage.period.text), .text(expression.name.text), .number(series.total),
                                .text(DimensionKey.text(path)),
                            ] + (hasSubjects ? [.text(DimensionKey.text(subject))] : [])
                                + (isTruncated ? [truncated] : []), path: path)
                    }
                }
            }
        }
        return writer.finished()
    }
}
