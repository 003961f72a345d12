/// Appends big-endian integers to bytes.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

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
