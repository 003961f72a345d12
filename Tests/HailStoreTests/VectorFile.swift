import FoundationEssentials
import Testing

/// The cases of a file in `protocol/vectors`.
struct VectorFile<Case: Decodable>: Decodable {
    let cases: [Case]

    static func cases(of name: String, as type: Case.Type) throws -> [Case] {
        let parts = #filePath.split(separator: "/").dropLast(3)
        let path = "/" + parts.joined(separator: "/") + "/protocol/vectors/\(name).json"
        let data = try Data(contentsOf: URL(filePath: path))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(VectorFile<Case>.self, from: data).cases
    }
}

/// The bytes that hexadecimal text stands for.
func bytes(hex: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = hex[...]
    while !rest.isEmpty {
        bytes.append(try #require(UInt8(rest.prefix(2), radix: 16)))
        rest = rest.dropFirst(2)
    }
    return bytes
}
