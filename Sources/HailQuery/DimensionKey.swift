/// How a path is written back as a key of an answer: `_`, `country`, `["country", "US"]`.
package enum DimensionKey {
    /// A longer path is the text that Python's `json.dumps` gives a list, non-ASCII escaped, as HailWhale wrote it.
    package static func text(_ path: [String]) -> String {
        switch path.count {
        case 0: "_"
        case 1: path[0]
        default: "[" + path.map(dumped).joined(separator: ", ") + "]"
        }
    }

    private static func dumped(_ part: String) -> String {
        var out = "\""
        for unit in part.utf16 {
            switch unit {
            case 0x22: out += "\\\""
            case 0x5C: out += "\\\\"
            case 0x20...0x7E: out.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return out + "\""
    }
}
