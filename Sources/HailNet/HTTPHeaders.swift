/// The header fields of a request, in order.
package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var fields: [HTTPField]

    package init(_ fields: [HTTPField] = []) { self.fields = fields }

    package init(dictionaryLiteral elements: (String, String)...) { fields = elements.map { HTTPField($0, $1) } }

    /// The first value of a field; letter case does not count.
    package subscript(name: String) -> String? {
        fields.first { HTTPHeaders.same($0.name, name) }?.value
    }

    /// Every value of a field; letter case does not count.
    package func all(_ name: String) -> [String] {
        fields.filter { HTTPHeaders.same($0.name, name) }.map(\.value)
    }

    /// Whether the field is there, be it empty.
    package func has(_ name: String) -> Bool { fields.contains { HTTPHeaders.same($0.name, name) } }

    mutating func append(_ name: String, _ value: String) { fields.append(HTTPField(name, value)) }

    /// Whether two texts differ in nothing but the case of ASCII letters.
    static func same(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return zip(left.utf8, right.utf8).allSatisfy { $0 == $1 || lowered($0) == lowered($1) }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
