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
        append(value, to: &out)
        return out
    }

    private static func append(_ value: JSONValue, to out: inout [UInt8]) {
        switch value {
        case .null: out += "null".utf8
        case .bool(let flag): out += (flag ? "true" : "false").utf8
        case .number(let text): out += (JSONNumber.isNumber(text.utf8) ? text : "null").utf8
        case .string(let text): append(text, to: &out)
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
                append(member.name, to: &out)
                out.append(UInt8(ascii: ":"))
                append(member.value, to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static func append(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += #"\""#.utf8
            case "\\": out += #"\\"#.utf8
            case "\n": out += #"\n"#.utf8
            case "\r": out += #"\r"#.utf8
            case "\t": out += #"\t"#.utf8
            // `<` cannot open a tag, U+2028 and U+2029 cannot end a line of a script.
            case "\0"..<" ", "\u{7F}", "<", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                out += (#"\u"# + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: out += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}
