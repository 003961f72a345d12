import HailCore

/// How plotpoints are chosen, ordered and shown.
struct PlotOptions: Sendable {
    /// Levels of children below each dimension asked for.
    let depth: Int
    /// Series in all; nil is no limit.
    let limit: Int?
    /// The share of its siblings below which a child is folded into `__other__`.
    let threshold: Double
    /// What the children are sorted by.
    let sort: MetricExpression
    let isAscending: Bool
    let withTotals: Bool
    /// Whether the newest point comes first.
    let isDescending: Bool

    init(parameters: [String: JSONValue], expressions: [MetricExpression]) throws(QueryError) {
        depth = try PlotOptions.whole("depth", parameters, upTo: Limits.pathDepth) ?? 0
        let limit = try PlotOptions.whole("limit", parameters, upTo: 1_000_000) ?? 0
        self.limit = limit == 0 ? nil : limit
        threshold = try PlotOptions.share("threshold", parameters) ?? 0
        withTotals = try PlotOptions.flag("with_totals", parameters)
        isDescending = try PlotOptions.flag("descending", parameters)
        var text = ""
        if let value = parameters["sort"], value != .null {
            guard let given = value.text else {
                throw QueryError(
                    .badValue, "sort", "The order is the name of a metric, with - before it for largest first.")
            }
            text = given
        }
        let isLargestFirst = text.utf8.first == UInt8(ascii: "-")
        isAscending = !text.isEmpty && !isLargestFirst
        let name = isLargestFirst ? String(Substring(text.utf8.dropFirst())) : text
        if let known = name.isEmpty ? expressions.first : expressions.first(where: { $0.name == Name(name) }) {
            sort = known
        } else {
            do throws(QueryError) {
                sort = try MetricExpression(parsing: name)
            } catch {
                throw QueryError(error.code, "sort", error.message)
            }
        }
    }

    static func whole(
        _ name: String, _ parameters: [String: JSONValue], upTo most: Int
    ) throws(QueryError) -> Int? {
        guard let value = parameters[name], value != .null, value != .string("") else { return nil }
        guard let number = value.text.flatMap({ Int($0) }), (0...most).contains(number) else {
            throw refused(name, value, "no whole number from 0 to \(most)")
        }
        return number
    }

    private static func share(_ name: String, _ parameters: [String: JSONValue]) throws(QueryError) -> Double? {
        guard let value = parameters[name], value != .null, value != .string("") else { return nil }
        guard let number = value.text.flatMap({ Double($0) }), (0...1).contains(number) else {
            throw refused(name, value, "no number from 0 to 1")
        }
        return number
    }

    private static func refused(_ name: String, _ value: JSONValue, _ fault: String) -> QueryError {
        QueryError(.badValue, name, "\(quoted(value.text ?? "a list")) is \(fault).")
    }

    static func flag(
        _ name: String, _ parameters: [String: JSONValue], default isSet: Bool = false
    ) throws(QueryError) -> Bool {
        guard let value = parameters[name], value != .null else { return isSet }
        switch value.text?.lowercased() {
        // A flag in a query string may stand without a value.
        case "true", "1", "yes", "on", "": return true
        case "false", "0", "no", "off": return false
        default: throw refused(name, value, "neither true nor false")
        }
    }
}
