package import HailCore

/// What one event counts, from the parameter `metrics` of a write.
package struct WrittenMetrics: Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        package let name: Name
        /// A JSON number's text, for exact arithmetic.
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = Name(name)
            self.value = value
        }
    }

    /// In the order given; empty where the parameter is missing.
    ///
    /// The implicit `hits` is not added here.
    package let items: [Item]

    /// Reads an object name → number, a list of names or a bare name (1 each).
    ///
    /// - Throws: `bad_metric`.
    package init(_ value: JSONValue?) throws(QueryError) {
        var items: [Item] = []
        switch value ?? .null {
        case .null, .written: break
        case .string(""): break
        case .object(let members):
            for member in members {
                items.append(Item(try WrittenMetrics.name(member.name), try WrittenMetrics.number(member)))
            }
        case .array(let names):
            for item in names { items.append(Item(try WrittenMetrics.name(item.text ?? ""), "1")) }
        case .string, .number, .bool:
            items = [Item(try WrittenMetrics.name(value?.text ?? ""), "1")]
        }
        guard items.count <= Limits.metricsPerLine else {
            throw QueryError(
                .badMetric, "metrics", "There are \(items.count) metrics; \(Limits.metricsPerLine) are allowed.")
        }
        var seen: Set<Name> = []
        for item in items where !seen.insert(item.name).inserted {
            throw QueryError(.badMetric, "metrics", "The metric \(quoted(item.name.text)) is named twice.")
        }
        self.items = items
    }

    private static func name(_ text: String) throws(QueryError) -> String {
        let reserved = text == Reserved.overall || text == Reserved.other || Reserved.isCrossed(text)
        guard !text.isEmpty, text.utf8.count <= Limits.partBytes, !reserved,
            !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else {
            throw QueryError(
                .badMetric, "metrics",
                "\(quoted(text)) is no name of a metric; it needs 1 to \(Limits.partBytes) bytes without control "
                    + "bytes, and `_`, `__other__` and `×` are the agent's.")
        }
        return text
    }

    private static func number(_ member: JSONValue.Member) throws(QueryError) -> String {
        switch member.value {
        case .number(let text), .string(let text):
            if isNumber(text) { return text }
        case .null, .bool, .array, .object, .written: break
        }
        throw QueryError(
            .badMetric, "metrics", "The value of \(quoted(member.name)) is no number; write a decimal such as 12.5.")
    }

    /// Whether a text is a finite decimal: sign, digits with an optional point, optional exponent.
    private static func isNumber(_ text: String) -> Bool {
        var rest = Substring(text).utf8
        func skip(_ allowed: Set<UInt8>) -> Bool {
            guard let first = rest.first, allowed.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        func digits() -> Int {
            let count = rest.prefix { (48...57).contains($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        guard rest.count <= 64 else { return false }
        _ = skip([43, 45])
        var count = digits()
        if skip([46]) { count += digits() }
        guard count > 0 else { return false }
        if skip([69, 101]) {
            _ = skip([43, 45])
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
