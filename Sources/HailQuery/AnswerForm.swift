package import HailCore

/// How an answer is written: the parameter `format`.
package enum AnswerForm: String, CaseIterable, Sendable {
    /// Objects within objects, as HailWhale answered.
    case nested
    /// One list of flat objects.
    case rows
    /// The rows as lines of RFC 4180, with a header.
    case csv

    /// Reads the parameter; without it, answers are nested.
    ///
    /// - Throws: `bad_value`.
    package init(_ parameters: [String: JSONValue]) throws(QueryError) {
        let value = parameters["format"] ?? .null
        guard value != .null, value != .string("") else {
            self = .nested
            return
        }
        guard let form = value.text.flatMap(AnswerForm.init) else {
            throw QueryError(
                .badValue, "format",
                "\(quoted(value.text ?? "a list")) is no format; write \(AnswerForm.allCases.map(\.rawValue).joined(separator: ", "))."
            )
        }
        self = form
    }
}
