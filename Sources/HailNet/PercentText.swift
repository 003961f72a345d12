/// Percent-encoded text, read strictly.
///
/// libmicrohttpd's own decoder cuts at `%00` and leaves what it cannot decode; two programs that read one text
/// differently are a hole, so nothing is guessed here.
enum PercentText {
    /// The decoded text; a `+` is a space where `plusIsSpace`, as in queries and forms.
    static func decode(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) throws(HTTPProblem) -> String {
        if bytes.allSatisfy({ $0 != percent && $0 != plus }) { return try text(bytes) }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == percent {
                guard index + 2 < bytes.endIndex, let high = digit(bytes[index + 1]), let low = digit(bytes[index + 2])
                else { throw .malformedEscape }
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(byte == plus && plusIsSpace ? UInt8(ascii: " ") : byte)
                index += 1
            }
        }
        return try text(decoded[...])
    }

    private static let percent = UInt8(ascii: "%")
    private static let plus = UInt8(ascii: "+")

    private static func text(_ bytes: ArraySlice<UInt8>) throws(HTTPProblem) -> String {
        if bytes.contains(0) { throw .nul }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        return text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
