package import HailCore

/// What a caller wants to see of the metrics: a term, or the ratio of two.
package struct MetricExpression: Hashable, Sendable {
    /// The text as asked: the metric's name in the answer.
    package let name: Name
    package let numerator: MetricTerm
    /// Nil where it is no ratio.
    package let denominator: MetricTerm?

    /// Expressions one query may hold.
    package static let mostExpressions = Limits.metricsPerLine

    package init(parsing text: String) throws(QueryError) {
        let sides = MetricTerm.split(Substring(text), at: "/")
        guard sides.count <= 2 else {
            throw QueryError(
                .badMetric, "metrics",
                "\(quoted(text)) divides twice; write one ratio such as dollars/hits, and / inside a name as %2F.")
        }
        name = Name(String(MetricTerm.trimmed(Substring(text))))
        numerator = try MetricTerm(parsing: sides[0])
        denominator = sides.count == 2 ? try MetricTerm(parsing: sides[1]) : nil
    }

    /// Reads the parameter `metrics` of a read.
    ///
    /// A name, a comma-separated list, a list of names, or an object `{"dollars":"hits"}` for `dollars/hits`; nothing
    /// is `hits`.
    ///
    /// - Throws: `bad_metric`.
    package static func list(_ value: JSONValue?) throws(QueryError) -> [MetricExpression] {
        var texts: [String] = []
        switch value ?? .null {
        case .null: break
        case .string(let text):
            texts = MetricTerm.split(Substring(text), at: ",").filter { !$0.isEmpty }.map(String.init)
        case .number(let text): texts = [text]
        case .array(let items):
            for item in items {
                guard let text = item.text else { throw notAName() }
                texts.append(text)
            }
        case .object(let members):
            for member in members {
                switch member.value {
                case .null: texts.append(member.name)
                case .string(let text), .number(let text): texts.append(member.name + "/" + text)
                case .bool, .array, .object, .written: throw notAName()
                }
            }
        case .bool, .written: throw notAName()
        }
        guard texts.count <= mostExpressions else {
            throw QueryError(.badMetric, "metrics", "There are \(texts.count) metrics; \(mostExpressions) are allowed.")
        }
        var list: [MetricExpression] = []
        for text in texts.isEmpty ? ["hits"] : texts {
            let expression = try MetricExpression(parsing: text)
            if !list.contains(where: { $0.name == expression.name }) { list.append(expression) }
        }
        return list
    }

    private static func notAName() -> QueryError {
        QueryError(
            .badMetric, "metrics",
            "The metrics are a name, a list of names, or an object such as {\"dollars\":\"hits\"} for dollars/hits.")
    }

    /// Whether it is the name of a metric, with at most a kind behind it.
    package var isPlain: Bool {
        denominator == nil && numerator.statistic == nil && numerator.carry == .none && !numerator.isForced
    }

    /// Its one or two terms.
    package var terms: [MetricTerm] { [numerator] + (denominator.map { [$0] } ?? []) }
}
