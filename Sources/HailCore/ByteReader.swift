/// Reads big-endian integers; every read past the end is nil.
package struct ByteReader {
    private var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    package var remaining: Int { rest.count }

    package mutating func uint8() -> UInt8? { rest.popFirst() }

    package mutating func uint16() -> UInt16? { integer() }

    package mutating func uint32() -> UInt32? { integer() }

    package mutating func uint64() -> UInt64? { integer() }

    package mutating func digest() -> Digest? {
        guard let high = uint64(), let low = uint64() else { return nil }
        return Digest(high: high, low: low)
    }

    package mutating func bytes(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    private mutating func integer<Integer: FixedWidthInteger>() -> Integer? {
        let size = MemoryLayout<Integer>.size
        guard rest.count >= size else { return nil }
        var value: Integer = 0
        for byte in rest.prefix(size) { value = value << 8 | Integer(byte) }
        rest = rest.dropFirst(size)
        return value
    }
}
