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
