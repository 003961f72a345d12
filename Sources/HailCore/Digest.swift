/// A 128-bit hash of a name, so that no name can shape or swell a store key.
package struct Digest: Hashable, Sendable {
    /// Bytes 0…7, big-endian.
    package let high: UInt64
    /// Bytes 8…15, big-endian.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Byte `index` of the sixteen.
    package subscript(index: Int) -> UInt8 {
        index < 8
            ? UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
            : UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * (index - 8)))
    }

    /// Appends the 22 characters of unpadded base64url (RFC 4648, section 5).
    package func appendText(to bytes: inout [UInt8]) {
        var rest = (UInt128(high) << 64) | UInt128(low)
        // 128 bits are 21 sextets and 2 bits; the text starts at the top.
        for _ in 0..<22 {
            bytes.append(Digest.alphabet[Int(truncatingIfNeeded: rest >> 122)])
            rest <<= 6
        }
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
}

/// Hashes the canonical bytes of a name: BLAKE2b with 16 bytes of output (RFC 7693), which the composition
/// root brings from libsodium, so that the pure targets stay free of it.
package typealias Digester = @Sendable ([UInt8]) -> Digest
