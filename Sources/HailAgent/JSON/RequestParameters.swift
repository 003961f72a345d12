package import HailCore
import HailWire

/// The parameters of an HTTP request under their canonical names, wherever they stood: query, form or JSON body.
package struct RequestParameters: Equatable, Sendable {
    package private(set) var values: [String: JSONValue] = [:]

    package init() {}

    /// The names given, in order of the alphabet.
    package var names: [String] { values.keys.sorted() }

    package subscript(name: String) -> JSONValue? { values[name] }

    /// Names that are accepted for canonical ones.
    private static let aliases = [
        "metric": "metrics", "dimension": "dimensions", "category": "pk", "option": "options",
    ]

    package static func canonicalName(_ name: String) -> String { aliases[name] ?? name }

    /// Takes names and texts as they are after percent-decoding: a query or a form that the server took apart.
    package mutating func add(pairs: [(name: String, text: String)]) throws(ParameterError) {
        for pair in pairs {
            let name = RequestParameters.canonicalName(pair.name)
            // In a query the plus sign of `tz=+1000` was decoded as a space, and what is left is no number.
            guard name == "tz" else {
                try add(name, RequestParameters.value(of: pair.text, name: name))
                continue
            }
            if pair.text.utf8.contains(0) { throw RequestParameters.nul(name) }
            try add(name, .string(pair.text.first == " " ? "+" + pair.text.dropFirst() : pair.text))
        }
    }

    /// Takes the members of a JSON object; their strings are bare strings, not JSON once more.
    package mutating func add(json: [UInt8]) throws(ParameterError) {
        let body: JSONValue
        do {
            body = try JSONText.parse(json)
        } catch {
            if case .duplicateKey = error { throw RequestParameters.duplicateKey(nil, error) }
            throw ParameterError(code: "bad_json", param: nil, message: "The body is no JSON: \(error).")
        }
        guard case .object(let members) = body else {
            throw ParameterError(code: "bad_json", param: nil, message: "The body must be a JSON object.")
        }
        for member in members {
            try add(RequestParameters.canonicalName(member.name), member.value)
        }
    }

    private mutating func add(_ name: String, _ value: JSONValue) throws(ParameterError) {
        guard !name.isEmpty else {
            throw ParameterError(code: "bad_request", param: nil, message: "A parameter has no name.")
        }
        guard values[name] == nil else {
            throw ParameterError(
                code: "duplicate_parameter", param: name, message: "\"\(name)\" is given more than once.")
        }
        values[name] = value
    }

    /// What one parameter's text says: a JSON value, or a bare string where it does not begin like one.
    ///
    /// Single quotes are taken for double ones. A text that opens a list, an object or a quoted string and does
    /// not close it is refused: counted as a bare string, a slip of the pen would become a dimension for ever.
    package static func value(of text: String, name: String) throws(ParameterError) -> JSONValue {
        if text.utf8.contains(0) { throw nul(name) }
        do {
            return try JSONText.parseLenient(Array(text.utf8))
        } catch JSONError.nul {
            throw nul(name)
        } catch JSONError.duplicateKey(let key, let offset) {
            throw duplicateKey(name, .duplicateKey(key, offset: offset))
        } catch {
            let start = text.unicodeScalars.first { !" \t\r\n".unicodeScalars.contains($0) }
            guard let start, "[{\"'".unicodeScalars.contains(start) else { return .string(text) }
            throw ParameterError(
                code: badCode(name), param: name, message: "\"\(name)\" begins like JSON but is none: \(error).")
        }
    }

    /// `bad_pk`; a name that no parameter has is not repeated in the code.
    private static func badCode(_ name: String) -> String {
        let isPlain = name.utf8.count <= 32 && name.unicodeScalars.allSatisfy { ("a"..."z").contains($0) || $0 == "_" }
        return isPlain ? "bad_" + name : "bad_parameter"
    }

    private static func duplicateKey(_ param: String?, _ error: JSONError) -> ParameterError {
        ParameterError(
            code: "duplicate_key", param: param,
            message: "\(param.map { "\"\($0)\"" } ?? "The body") is not clear: \(error).")
    }

    private static func nul(_ name: String?) -> ParameterError {
        ParameterError(code: "nul", param: name, message: "NUL is not taken anywhere in a request.")
    }
}
