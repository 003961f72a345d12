/// A named value of a query or a form.
package struct HTTPField: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Reads `name=value&name=value…` in order, repeated names included.
    ///
    /// A piece without `=` has an empty value, an empty piece is passed over.
    package static func parse(_ bytes: ArraySlice<UInt8>) throws(HTTPProblem) -> [HTTPField] {
        var fields: [HTTPField] = []
        for piece in bytes.split(separator: UInt8(ascii: "&")) {
            let equals = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.endIndex
            let value = piece[equals...].dropFirst()
            fields.append(
                HTTPField(
                    try PercentText.decode(piece[..<equals], plusIsSpace: true),
                    try PercentText.decode(value, plusIsSpace: true)))
        }
        return fields
    }
}
