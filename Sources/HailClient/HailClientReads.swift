internal import HailCore
internal import HailWire

/// What was counted, asked of an agent over HTTP.
///
/// Answers come after `timeoutSeconds` at most; a cancelled task is told so within a moment. What is in the agent's open
/// window, a second's by default, is not in them yet.
extension HailClient {
    /// What was counted over whole periods: a number for each period, dimension and metric.
    ///
    /// - Parameters:
    ///   - subject: Whom it is about; `[]` is the subject of events without one.
    ///   - metrics: Names, ratios such as `revenue/hits`, and all else that `protocol/http.md` names.
    ///   - dimensions: The parts of each path; `[]` is the overall number.
    ///   - periods: Such as `1d:1mo`, `today`, `1/31/2026-2/28/2026`; without any, the agent's five.
    ///   - zone: Whose days they are: an offset such as `+0530`, or a name; UTC without it.
    /// - Throws: `HailError`, of which `refused` names the parameter that is at fault.
    public func totals(
        of subject: HailName, _ metrics: [String] = ["hits"], dimensions: [[String]] = [[]], periods: [String] = [],
        zone: String? = nil
    ) async throws(HailError) -> HailTotals {
        var parameters = parameters(subject, metrics, dimensions, zone)
        if !periods.isEmpty { parameters.append(("periods", Self.json(Self.list(periods)))) }
        return try HailTotals(await inquirer.get("/totals", parameters))
    }

    /// What was counted, point by point of a period, of dimensions and what is below them.
    ///
    /// - Parameters:
    ///   - subject: Whom it is about.
    ///   - metrics: As of `totals`.
    ///   - dimensions: The parts of each path.
    ///   - period: Such as `1d:1mo`; without it, thirty days.
    ///   - depth: How many levels below the dimensions are shown besides, 0 to 8.
    ///   - sort: `-metric` puts the largest first, `metric` the smallest; without it, the first metric, largest first.
    ///   - limit: How many series there may be; 0 is no limit.
    ///   - threshold: 0 to 1: what is below that share of its siblings is one series, `__other__`.
    ///   - zone: Whose days they are.
    /// - Throws: `HailError`.
    public func plotpoints(
        of subject: HailName, _ metrics: [String] = ["hits"], dimensions: [[String]] = [[]], period: String? = nil,
        depth: Int = 0, sort: String? = nil, limit: Int = 0, threshold: Double = 0, zone: String? = nil
    ) async throws(HailError) -> HailPlot {
        var parameters = parameters(subject, metrics, dimensions, zone)
        if let period { parameters.append(("period", Self.json(.string(period)))) }
        if let sort { parameters.append(("sort", Self.json(.string(sort)))) }
        parameters += [
            ("depth", "\(depth)"), ("limit", "\(limit)"), ("threshold", "\(threshold)"), ("with_totals", "true"),
        ]
        return try HailPlot(await inquirer.get("/plotpoints", parameters))
    }

    /// Which dimensions below another one explain a number: how each compares with the whole.
    ///
    /// - Parameters:
    ///   - subject: Whom it is about.
    ///   - metric: A metric, or a ratio such as `revenue/hits`.
    ///   - dimension: The parts of the path below which to look; `[]` is all dimensions.
    ///   - period: Such as `1d:1mo`; without it, thirty days.
    ///   - isRecursive: Whether all levels are looked at, not the next one alone.
    ///   - prunesParents: Whether a dimension that its children explain is not important itself.
    ///   - zone: Whose days they are.
    /// - Throws: `HailError`.
    public func rank(
        of subject: HailName, by metric: String = "hits", below dimension: [String] = [], period: String? = nil,
        isRecursive: Bool = true, prunesParents: Bool = true, zone: String? = nil
    ) async throws(HailError) -> [HailRank] {
        var parameters = parameters(subject, [], [dimension], zone)
        parameters += [
            ("metric", Self.json(.string(metric))), ("recursive", "\(isRecursive)"),
            ("prune_parents", "\(prunesParents)"),
        ]
        if let period { parameters.append(("period", Self.json(.string(period)))) }
        return try HailRank.list(await inquirer.get("/rank", parameters))
    }

    private func parameters(
        _ subject: HailName, _ metrics: [String], _ dimensions: [[String]], _ zone: String?
    ) -> [(name: String, text: String)] {
        var parameters = [
            (name: "pk", text: Self.json(Self.list(subject.parts))),
            ("dimensions", Self.json(.array(dimensions.map(Self.list)))),
        ]
        if !metrics.isEmpty { parameters.append(("metrics", Self.json(Self.list(metrics)))) }
        // The one parameter that is no JSON: a sign would be a number's.
        if let zone { parameters.append(("tz", zone)) }
        return parameters
    }

    private static func list(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }

    private static func json(_ value: JSONValue) -> String { String(decoding: JSONText.render(value), as: UTF8.self) }
}
