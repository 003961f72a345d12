/// Why a text is no JSON.
///
/// Offsets count bytes from the start of the text.
package enum JSONError: Error, Equatable {
    case empty
    case notUTF8
    case unexpectedEnd
    case unexpectedByte(UInt8, offset: Int)
    case badEscape(offset: Int)
    /// Half of a surrogate pair stands alone in `\u` escapes.
    case loneSurrogate(offset: Int)
    /// U+0000, raw or escaped: no name and no value may hold it.
    case nul(offset: Int)
    case badNumber(offset: Int)
    case numberTooLong(offset: Int, limitBytes: Int)
    case tooDeep(limit: Int)
    /// An object names the same member twice; whoever reads one of the two would choose in silence.
    case duplicateKey(String, offset: Int)
    /// Something follows the value.
    case trailingBytes(offset: Int)
}

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
