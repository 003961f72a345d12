/// Appends big-endian integers to bytes.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init(reservingBytes: Int = 0) {
        if reservingBytes > 0 { bytes.reserveCapacity(reservingBytes) }
    }

    /// Writes an integer over bytes that were put before.
    package mutating func fill(_ value: some FixedWidthInteger, at place: Int) {
        withUnsafeBytes(of: value.bigEndian) { raw in
            for (offset, byte) in raw.enumerated() { bytes[place + offset] = byte }
        }
    }

    package mutating func put(_ value: UInt8) { bytes.append(value) }

    package mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func put(_ value: [UInt8]) { bytes += value }

    package mutating func put(_ value: UnsafeRawBufferPointer) { bytes += value }

    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    package mutating func put(_ digest: Digest) {
        put(digest.high)
        put(digest.low)
    }
}
