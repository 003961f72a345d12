import HailWire

extension JSONError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "it is empty"
        case .notUTF8: "it is not UTF-8"
        case .unexpectedEnd: "it ends too early"
        case .unexpectedByte(let byte, let offset):
            (0x21...0x7E).contains(byte)
                ? "unexpected \"\(Character(Unicode.Scalar(byte)))\" at byte \(offset)"
                : "unexpected byte \(byte) at byte \(offset)"
        case .badEscape(let offset): "no such escape at byte \(offset)"
        case .loneSurrogate(let offset): "half a surrogate pair at byte \(offset)"
        case .nul(let offset): "NUL at byte \(offset)"
        case .badNumber(let offset): "no number at byte \(offset)"
        case .numberTooLong(let offset, let limit): "the number at byte \(offset) is longer than \(limit) bytes"
        case .tooDeep(let limit): "it nests deeper than \(limit)"
        case .duplicateKey(let name, let offset): "the key \(Log.quoted(name)) stands twice, again at byte \(offset)"
        case .trailingBytes(let offset): "something follows the value at byte \(offset)"
        }
    }
}
