import HailCore

/// The periods that a call asks for.
struct PeriodChoice: Sendable {
    let periods: [Period]
    /// Whether nobody asked for them: what cannot be answered is then left out.
    let isDefault: Bool
    /// The name the caller gave them under, for errors.
    let parameter: String
    let now: Int64
    let zone: ZoneRules
    let history: LadderHistory
    /// Unix seconds before which what is asked for was not counted; nil where it always was.
    var countedFrom: Int64?

    /// Which cells answer each period.
    ///
    /// - Parameter withSketches: only from resolutions that keep sketches.
    /// - Throws: what a period is refused for; `no_sketch`.
    func coverages(withSketches: Bool) throws(QueryError) -> [Coverage] {
        var coverages: [Coverage] = []
        var refusal: QueryError?
        for period in periods where !coverages.contains(where: { $0.period.text == period.text }) {
            do throws(QueryError) {
                let coverage = try Coverage(
                    period, now: now, zone: zone, history: history, withSketches: withSketches,
                    cutsForeignDays: isDefault, parameter: parameter)
                coverages.append(countedFrom.map(coverage.counted) ?? coverage)
            } catch  where isDefault && [.badPeriod, .zoneNotKept, .noSketch].contains(error.code) {
                // Nobody asked for this default, and the agent keeps nothing that could answer it.
                if error.code == .noSketch { refusal = error }
            }
        }
        if coverages.isEmpty, let refusal { throw refusal }
        return coverages
    }
}

extension PeriodChoice {
    /// The one period of a call, from the parameter `period`; `thirty` without it.
    ///
    /// - Throws: `bad_period`.
    init(
        single parameters: [String: JSONValue], now: Int64, zone: ZoneRules, history: LadderHistory
    ) throws(QueryError) {
        let value = parameters["period"] ?? .null
        guard value.isScalar else {
            throw QueryError(.badPeriod, "period", "There is one period; \(PeriodGrammar.allowed)")
        }
        let text = value.text ?? ""
        self.init(
            periods: [try Period(parsing: text.isEmpty ? Period.defaultText : text)], isDefault: false,
            parameter: "period", now: now, zone: zone, history: history)
    }
}
