import HailCore

/// What totals and plotpoints have in common: whose numbers, at which dimensions, of which metrics, over which periods.
struct Question: Sendable {
    let subjects: PathList
    let dimensions: PathList
    let expressions: [MetricExpression]
    let periods: PeriodChoice
    private let digester: Digester

    /// Values that one call may work out.
    static let mostValues = 2_000_000

    /// - Parameter periods: finds them, given the zone.
    init(
        parameters: [String: JSONValue], digester: @escaping Digester, zones: ZoneRules.Finder,
        periods: (ZoneRules) throws(QueryError) -> PeriodChoice
    ) throws(QueryError) {
        subjects = try PathList(parameters["pk"], parameter: "pk", depth: Limits.subjectParts)
        dimensions = try PathList(parameters["dimensions"], parameter: "dimensions", depth: Limits.pathDepth)
        expressions = try MetricExpression.list(parameters["metrics"])
        guard let zoneText = (parameters["tz"] ?? .string("")).text else {
            throw QueryError(.badZone, "tz", "The time zone is a text; \(AskedZone.allowed).")
        }
        var choice = try periods(try AskedZone.rules(zoneText, finder: zones))
        choice.countedFrom = dimensions.paths.compactMap { path in
            path.first.flatMap { choice.history.viewStarts[Name($0)] }
        }.max()
        self.periods = choice
        self.digester = digester
    }

    /// The dimensions asked for, of each subject.
    var allDimensions: [[[String]]] { subjects.paths.map { _ in dimensions.paths } }

    /// The round that reads some groups of every subject.
    ///
    /// - Parameters:
    ///   - groups: of each subject, in the order of `subjects`.
    ///   - expressions: what is worked out at every group.
    ///   - kinds: of each subject, those of the metrics that are named without one; nil where they are not known yet:
    ///     then such metrics are read as counters, and along with them which kinds there are.
    /// - Throws: `too_costly`, `no_sketch`.
    func round(
        groups: [[[String]]], expressions: [MetricExpression], kinds: [[Name: Kind]]? = nil
    ) throws(QueryError) -> CellRound {
        let terms = expressions.flatMap(\.terms)
        var chosen: [Bool: [Coverage]] = [:]
        var parts: [CellRound.Part] = []
        var keys = 0
        for (index, subject) in subjects.paths.enumerated() {
            func kind(_ term: MetricTerm) -> Kind? {
                kinds.map { term.kind(known: $0[index]) } ?? (term.isForced ? nil : term.kind ?? .counter)
            }
            let needsSketch = terms.contains { term in kind(term).map(term.needsSketch) ?? false }
            let coverages: [Coverage]
            if let known = chosen[needsSketch] {
                coverages = known
            } else {
                coverages = try periods.coverages(withSketches: needsSketch)
            }
            chosen[needsSketch] = coverages
            let points = coverages.reduce(0) { $0 + $1.spans.count }
            let series = groups.reduce(0) { $0 + $1.count } * expressions.count
            let (values, overflow) = points.multipliedReportingOverflow(by: series)
            guard !overflow, values <= Question.mostValues else { throw ReadPlan.tooCostly() }
            let plan = try ReadPlan(
                subject: subject, groups: groups[index], sources: MetricSource.list(of: terms, kind: kind),
                names: kinds == nil ? Question.names(of: terms) : [], coverages: coverages, digester: digester)
            keys += plan.commands.count
            guard keys <= ReadPlan.Bound.keys else { throw ReadPlan.tooCostly() }
            parts.append(CellRound.Part(plan: plan, coverages: coverages, kinds: kinds?[index]))
        }
        return CellRound(parts: parts, terms: terms)
    }

    /// Every kind that a term without one may turn out to be.
    private static func names(of terms: [MetricTerm]) -> [KnownNames.Metric] {
        var seen: Set<Name> = []
        return terms.filter { $0.isOpen && seen.insert($0.name).inserted }.flatMap { term in
            Kind.allCases.map { KnownNames.Metric(name: term.name, kind: $0) }
        }
    }

    /// The round that finds the names of every subject in the chunks of the periods, and the kinds of the metrics that
    /// are named without one.
    ///
    /// - Throws: `too_costly`, `no_sketch`.
    func namesRound(expressions: [MetricExpression]) throws(QueryError) -> NamesRound {
        let terms = expressions.flatMap(\.terms)
        let needsSketch = terms.contains { term in term.kind.map(term.needsSketch) ?? false }
        let coverages = try periods.coverages(withSketches: needsSketch)
        // Pages of the all-time total are read whole as it is.
        let isAllTime = coverages.contains(where: \.isAllTime)
        var parts: [NamesRound.Part] = []
        var keys = 0
        for subject in subjects.paths {
            let groups = try NamesPlan(
                subject: subject, chunks: coverages.flatMap(\.chunks), digester: digester)
            let kinds = try ReadPlan(
                subject: subject, groups: [], sources: [], names: isAllTime ? [] : Question.names(of: terms),
                coverages: [], digester: digester)
            keys += groups.commands.count + kinds.commands.count
            guard keys <= ReadPlan.Bound.keys else { throw ReadPlan.tooCostly() }
            parts.append(NamesRound.Part(groups: groups, kinds: kinds))
        }
        return NamesRound(parts: parts, terms: terms)
    }
}
