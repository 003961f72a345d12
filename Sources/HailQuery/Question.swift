import HailCore

/// What totals and plotpoints have in common: whose numbers, at which dimensions, of which metrics, in which zone.
struct Question: Sendable {
    let subjects: PathList
    let dimensions: PathList
    let expressions: [MetricExpression]
    let zone: ZoneRules
    private let digester: Digester

    /// Values that one call may work out.
    static let mostValues = 2_000_000

    init(
        parameters: [String: JSONValue], digester: @escaping Digester, zones: ZoneRules.Finder
    ) throws(QueryError) {
        subjects = try PathList(parameters["pk"], parameter: "pk", depth: Limits.subjectParts)
        dimensions = try PathList(parameters["dimensions"], parameter: "dimensions", depth: Limits.pathDepth)
        expressions = try MetricExpression.list(parameters["metrics"])
        guard let zoneText = (parameters["tz"] ?? .string("")).text else {
            throw QueryError(.badZone, "tz", "The time zone is UTC or an offset such as +0530.")
        }
        zone = try ZoneRules(parsing: zoneText, finder: zones)
        self.digester = digester
    }

    /// The plans that read some groups of every subject.
    ///
    /// - Parameters:
    ///   - groups: of each subject, in the order of `subjects`.
    ///   - expressions: what is worked out at every group.
    /// - Throws: `too_costly`.
    func plans(
        groups: [[[String]]], expressions: [MetricExpression], coverages: [Coverage]
    ) throws(QueryError) -> [ReadPlan] {
        var metrics: [String] = []
        var names: [Int] = []
        for term in expressions.flatMap(\.terms) where !term.isForced {
            let index = metrics.firstIndex(of: term.name) ?? metrics.count
            if index == metrics.count { metrics.append(term.name) }
            if term.constant != nil, !names.contains(index) { names.append(index) }
        }
        let points = coverages.reduce(0) { $0 + $1.spans.count }
        let series = groups.reduce(0) { $0 + $1.count } * expressions.count
        let (values, overflow) = points.multipliedReportingOverflow(by: series)
        guard !overflow, values <= Question.mostValues else { throw ReadPlan.tooCostly() }
        var plans: [ReadPlan] = []
        var keys = 0
        for (subject, groups) in zip(subjects.paths, groups) {
            let plan = try ReadPlan(
                subject: subject, groups: groups, metrics: metrics, names: names, coverages: coverages,
                digester: digester)
            keys += plan.commands.count
            guard keys <= ReadPlan.Bound.keys else { throw ReadPlan.tooCostly() }
            plans.append(plan)
        }
        return plans
    }

    /// The plans that find the names of every subject in the chunks of a period.
    ///
    /// - Throws: `too_costly`.
    func namesPlans(in coverage: Coverage) throws(QueryError) -> [NamesPlan] {
        var plans: [NamesPlan] = []
        for subject in subjects.paths {
            plans.append(
                try NamesPlan(
                    subject: subject, chunks: [(coverage.resolution, coverage.chunks)], digester: digester))
        }
        guard plans.reduce(0, { $0 + $1.commands.count }) <= ReadPlan.Bound.keys else { throw ReadPlan.tooCostly() }
        return plans
    }
}
