package import HailCore

/// JSON as bytes: what requests bring, what answers are written as.
package enum JSONText {
    /// How deep arrays and objects may nest.
    package static let depthLimit = 64
    /// The longest number that is read, in bytes.
    package static let numberLimitBytes = 256

    /// Reads one JSON value.
    ///
    /// Members keep their order, numbers keep their text. Two members of one name are an error.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var scanner = try JSONScanner(bytes, quotes: .double)
        return try scanner.document()
    }

    /// Reads one JSON value whose strings may stand in single quotes.
    package static func parseLenient(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var scanner = try JSONScanner(bytes, quotes: .doubleOrSingle)
        return try scanner.document()
    }

    /// The value as JSON on one line, safe inside a script element and for line-based readers.
    ///
    /// A number whose text is none (`nan`) is written as `null`, so that the answer stays JSON.
    package static func render(_ value: JSONValue) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(writtenBytes(in: value))
        append(value, to: &out)
        return out
    }

    /// Bytes of what is written already, with some for the name of each.
    private static func writtenBytes(in value: JSONValue) -> Int {
        switch value {
        case .written(let text): text.count + 64
        case .array(let items): items.reduce(0) { $0 + writtenBytes(in: $1) }
        case .object(let members): members.reduce(0) { $0 + writtenBytes(in: $1.value) }
        case .null, .bool, .number, .string: 0
        }
    }

    private static func append(_ value: JSONValue, to out: inout [UInt8]) {
        switch value {
        case .null: out += "null".utf8
        case .bool(let flag): out += (flag ? "true" : "false").utf8
        case .number(let text): out += (JSONNumber.isNumber(text.utf8) ? text : "null").utf8
        case .string(let text): JSONString.append(text, to: &out)
        case .written(let text): out += text
        case .array(let items):
            out.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                append(item, to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                JSONString.append(member.name, to: &out)
                out.append(UInt8(ascii: ":"))
                append(member.value, to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }
}
