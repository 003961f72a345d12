package import HailCore

/// `/totals`: what was counted over whole periods, by period, dimension and metric.
package struct TotalsQuery: StoreQuery {
    private let question: Question
    private let coverages: [Coverage]
    private let plans: [ReadPlan]

    /// Periods one call may ask for.
    package static let mostPeriods = 32

    /// Reads the parameters `pk`, `dimensions`, `metrics`, `periods` and `tz`.
    ///
    /// - Parameters:
    ///   - now: Unix seconds.
    ///   - zones: finds named zones; UTC and offsets are known without it.
    /// - Throws: whatever is wrong with a parameter, or `too_costly`.
    package init(
        parameters: [String: JSONValue], now: Int64, ladder: Ladder, digester: @escaping Digester,
        zones: ZoneRules.Finder = { _ in nil }
    ) throws(QueryError) {
        let question = try Question(parameters: parameters, digester: digester, zones: zones)
        let asked = try TotalsQuery.texts(of: parameters["periods"])
        var coverages: [Coverage] = []
        for text in asked.isEmpty ? Period.defaultTexts : asked {
            let period = try Period(parsing: text, parameter: "periods")
            guard !coverages.contains(where: { $0.period.text == period.text }) else { continue }
            do throws(QueryError) {
                coverages.append(
                    try Coverage(
                        period, now: now, zone: question.zone, ladder: ladder, cutsForeignDays: asked.isEmpty,
                        parameter: "periods"))
            } catch  where asked.isEmpty && [.badPeriod, .zoneNotKept].contains(error.code) {
                // Nobody asked for this default, and the agent keeps nothing that could answer it.
                continue
            }
        }
        self.question = question
        self.coverages = coverages
        plans = try question.plans(
            groups: question.subjects.paths.map { _ in question.dimensions.paths },
            expressions: question.expressions, coverages: coverages)
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
        case .bool, .number, .object: throw notAPeriod()
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

    package var commands: [[[UInt8]]] { plans.flatMap(\.commands) }

    package func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        var rest = replies[...]
        var answers: [JSONValue] = []
        for plan in plans {
            let readings = try plan.readings(from: rest.prefix(plan.commands.count))
            rest = rest.dropFirst(plan.commands.count)
            answers.append(answer(plan, readings))
        }
        return question.subjects.answer(answers)
    }

    private func answer(_ plan: ReadPlan, _ readings: Readings) -> JSONValue {
        let metricIndex = plan.metricIndex
        var members = coverages.map { coverage in
            JSONValue.Member(
                coverage.period.text,
                .object(
                    plan.groups.indices.map { group in
                        JSONValue.Member(
                            DimensionKey.text(plan.groups[group]),
                            .object(
                                question.expressions.map { expression in
                                    let series = Series(
                                        expression, groups: [group], in: coverage, readings: readings,
                                        metricIndex: metricIndex)
                                    return JSONValue.Member(expression.text, .number(series.total))
                                }))
                    }))
        }
        let truncated = coverages.compactMap { coverage in
            coverage.truncatedBefore.map { JSONValue.Member(coverage.period.text, .number(String($0))) }
        }
        if !truncated.isEmpty { members.append(JSONValue.Member("truncated_before", .object(truncated))) }
        return .object(members)
    }
}
