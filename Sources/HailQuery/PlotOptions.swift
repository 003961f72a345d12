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
        depth = Int(try PlotOptions.number("depth", parameters, 0...Double(Limits.pathDepth), isWhole: true) ?? 0)
        let limit = Int(try PlotOptions.number("limit", parameters, 0...1_000_000, isWhole: true) ?? 0)
        self.limit = limit == 0 ? nil : limit
        threshold = try PlotOptions.number("threshold", parameters, 0...1, isWhole: false) ?? 0
        withTotals = try PlotOptions.flag("with_totals", parameters)
        isDescending = try PlotOptions.flag("descending", parameters)
        var text = ""
        if let value = parameters["sort"], value != .null {
            guard let given = value.text else {
                throw QueryError(.badValue, "sort", "The order is the name of a metric, with - before it for largest first.")
            }
            text = given
        }
        isAscending = !text.isEmpty && !text.hasPrefix("-")
        let name = text.hasPrefix("-") ? String(text.dropFirst()) : text
        if let known = name.isEmpty ? expressions.first : expressions.first(where: { $0.text == name }) {
            sort = known
        } else {
            do throws(QueryError) {
                sort = try MetricExpression(parsing: name)
            } catch {
                throw QueryError(error.code, "sort", error.message)
            }
        }
    }

    private static func number(
        _ name: String, _ parameters: [String: JSONValue], _ allowed: ClosedRange<Double>, isWhole: Bool
    ) throws(QueryError) -> Double? {
        guard let value = parameters[name], value != .null, value != .string("") else { return nil }
        guard let text = value.text, let number = Double(text), allowed.contains(number),
            !isWhole || number == number.rounded()
        else {
            throw QueryError(
                .badValue, name,
                "\(quoted(value.text ?? "a list")) is no \(isWhole ? "whole " : "")number from "
                    + "\(Int(allowed.lowerBound)) to \(Int(allowed.upperBound)).")
        }
        return number
    }

    private static func flag(_ name: String, _ parameters: [String: JSONValue]) throws(QueryError) -> Bool {
        guard let value = parameters[name], value != .null else { return false }
        switch value.text?.lowercased() {
        // A flag in a query string may stand without a value.
        case "true", "1", "yes", "on", "": return true
        case "false", "0", "no", "off": return false
        default: throw QueryError(.badValue, name, "\(quoted(value.text ?? "a list")) is neither true nor false.")
        }
    }
}
