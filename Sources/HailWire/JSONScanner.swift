import HailCore

/// Reads one JSON text (RFC 8259) from the front to the back.
///
/// Foundation's decoder is not used because it loses what answers and requests rely on: the order of an object's
/// members (series come sorted) and the text of numbers (`["v", 1.10]` is the path v, 1.10).
struct JSONScanner {
    /// Which bytes may enclose a string.
    enum Quotes {
        case double
        /// Single quotes too, as people write them in query strings.
        case doubleOrSingle
    }

    private let bytes: [UInt8]
    private let quotes: Quotes
    private var index = 0

    /// - Throws: `JSONError.empty`, `.notUTF8`, `.nul`
    init(_ bytes: [UInt8], quotes: Quotes) throws(JSONError) {
        guard !bytes.isEmpty else { throw .empty }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
        if let offset = bytes.firstIndex(of: 0) { throw .nul(offset: offset) }
        self.bytes = bytes
        self.quotes = quotes
    }

    /// The one value of the text.
    mutating func document() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try self.value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw .trailingBytes(offset: index) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= JSONText.depthLimit else { throw .tooDeep(limit: JSONText.depthLimit) }
        let byte = try peek()
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default:
            guard isQuote(byte) else { throw .unexpectedByte(byte, offset: index) }
            return .string(try string())
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        index += 1
        var members: [JSONValue.Member] = []
        // Names are compared as bytes: String's own equality takes composed and decomposed letters for the same.
        var names: Set<[UInt8]> = []
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            let byte = try peek()
            guard isQuote(byte) else { throw .unexpectedByte(byte, offset: index) }
            let start = index
            let name = try string()
            guard names.insert(Array(name.utf8)).inserted else { throw .duplicateKey(name, offset: start) }
            skipSpace()
            try expect(":")
            skipSpace()
            members.append(JSONValue.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if take(",") { continue }
            try expect("}")
            return .object(members)
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        index += 1
        var items: [JSONValue] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            skipSpace()
            items.append(try value(depth: depth + 1))
            skipSpace()
            if take(",") { continue }
            try expect("]")
            return .array(items)
        }
    }

    private mutating func word(_ text: StaticString, _ meaning: JSONValue) throws(JSONError) -> JSONValue {
        for offset in 0..<text.utf8CodeUnitCount {
            let byte = try peek()
            guard byte == text.utf8Start[offset] else { throw .unexpectedByte(byte, offset: index) }
            index += 1
        }
        return meaning
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = index
        while index < bytes.count, JSONNumber.mayHold(bytes[index]) { index += 1 }
        guard index - start <= JSONText.numberLimitBytes else {
            throw .numberTooLong(offset: start, limitBytes: JSONText.numberLimitBytes)
        }
        guard JSONNumber.isNumber(bytes[start..<index]) else { throw .badNumber(offset: start) }
        return .number(String(decoding: bytes[start..<index], as: UTF8.self))
    }

    private mutating func string() throws(JSONError) -> String {
        let quote = bytes[index]
        index += 1
        var content: [UInt8] = []
        while true {
            let byte = try peek()
            switch byte {
            case quote:
                index += 1
                return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"):
                content.append(contentsOf: try escape())
            case 0..<0x20:
                throw .unexpectedByte(byte, offset: index)
            default:
                content.append(byte)
                index += 1
            }
        }
    }

    /// The bytes of the character that an escape stands for.
    private mutating func escape() throws(JSONError) -> [UInt8] {
        let start = index
        index += 1
        let letter = try peek()
        index += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
        case UInt8(ascii: "'") where quotes == .doubleOrSingle: return [letter]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw .badEscape(offset: start)
        }
        var code = UInt32(try hexadecimals(start: start))
        if code == 0 { throw .nul(offset: start) }
        if (0xD800...0xDBFF).contains(code) {
            guard take("\\"), take("u") else { throw .loneSurrogate(offset: start) }
            let low = UInt32(try hexadecimals(start: index - 2))
            guard (0xDC00...0xDFFF).contains(low) else { throw .loneSurrogate(offset: start) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        // A low half without its high half is no scalar.
        guard let scalar = Unicode.Scalar(code) else { throw .loneSurrogate(offset: start) }
        return Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private mutating func hexadecimals(start: Int) throws(JSONError) -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(try peek())).hexDigitValue else {
                throw .badEscape(offset: start)
            }
            code = code << 4 | UInt16(digit)
            index += 1
        }
        return code
    }

    private func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || (quotes == .doubleOrSingle && byte == UInt8(ascii: "'"))
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard index < bytes.count else { throw .unexpectedEnd }
        return bytes[index]
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(JSONError) {
        let byte = try peek()
        guard byte == UInt8(ascii: character) else { throw .unexpectedByte(byte, offset: index) }
        index += 1
    }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
    }
}
