/// Reads big-endian integers straight from memory; every read past the end is nil.
struct RawReader {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    mutating func next<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer? {
        let size = MemoryLayout<Integer>.size
        guard bytes.count - place >= size else { return nil }
        defer { place += size }
        return Integer(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: Integer.self))
    }

    mutating func next(bytes count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= bytes.count - place else { return nil }
        defer { place += count }
        return UnsafeRawBufferPointer(rebasing: bytes[place..<(place + count)])
    }
}
