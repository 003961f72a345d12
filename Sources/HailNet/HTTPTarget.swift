/// The target of a request line, taken apart and decoded.
package struct HTTPTarget: Equatable, Sendable {
    /// As it arrived; bytes that are no UTF-8 are repaired.
    package var raw = ""
    /// Host and port of an absolute target (`GET http://host/path`), which outranks the `Host` header; else nil.
    package var authority: String?
    /// The undecoded path.
    package var rawPath = ""
    /// The decoded path.
    ///
    /// A `%2F` is a `/` here and a part's own byte in `pathParts`.
    package var path = ""
    /// The path split at `/` and then decoded: `/p/a%2Fb` is `p`, `a/b`.
    ///
    /// The root has one empty part.
    package var pathParts: [String] = []
    package var query: [HTTPField] = []
    /// Why the fields above are not all filled.
    package var problem: HTTPProblem?

    package init() {}

    /// Reads a target; what is wrong with it is in `problem`.
    package init(parsing bytes: [UInt8]) {
        raw = String(decoding: bytes, as: UTF8.self)
        do throws(HTTPProblem) { try read(bytes) } catch { problem = error }
    }

    private mutating func read(_ bytes: [UInt8]) throws(HTTPProblem) {
        if bytes.contains(0) { throw .nul }
        if bytes.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { throw .controlByte }
        let rest = try afterAuthority(bytes[...])
        let mark = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        let pathBytes = rest[..<mark]
        guard pathBytes.first == UInt8(ascii: "/") || pathBytes.elementsEqual([UInt8(ascii: "*")]) else {
            throw .malformedTarget
        }
        rawPath = String(decoding: pathBytes, as: UTF8.self)
        path = try PercentText.decode(pathBytes, plusIsSpace: false)
        for part in pathBytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            pathParts.append(try PercentText.decode(part, plusIsSpace: false))
        }
        query = try HTTPField.parse(rest[mark...].dropFirst())
    }

    /// Takes scheme and authority off an absolute target; the path of `http://host` is `/`.
    private mutating func afterAuthority(_ bytes: ArraySlice<UInt8>) throws(HTTPProblem) -> ArraySlice<UInt8> {
        guard bytes.first != UInt8(ascii: "/") else { return bytes }
        let scheme = Array("http://".utf8)
        guard bytes.count > scheme.count,
            bytes.prefix(scheme.count).elementsEqual(scheme, by: { $0 | 0x20 == $1 | 0x20 })
        else { return bytes }
        let rest = bytes.dropFirst(scheme.count)
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        guard let name = String(validating: rest[..<end], as: UTF8.self), !name.isEmpty else { throw .malformedTarget }
        authority = name
        let path = rest[end...]
        return path.first == UInt8(ascii: "/") ? path : [UInt8(ascii: "/")] + path
    }
}
