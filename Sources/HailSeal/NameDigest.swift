import CSodium
package import HailCore

/// BLAKE2b of names, by libsodium.
package enum NameDigest {
    /// BLAKE2b with 16 bytes of output and no key (RFC 7693): what `Digester` promises.
    package static let blake2b: Digester = { bytes in
        var out = [UInt8](repeating: 0, count: 16)
        crypto_generichash(&out, 16, bytes, UInt64(bytes.count), nil, 0)
        var reader = ByteReader(out[...])
        return reader.digest() ?? Digest(high: 0, low: 0)
    }

    /// Sixteen bytes from the system's random source: an agent's id.
    package static func random() -> Digest {
        var out = [UInt8](repeating: 0, count: 16)
        randombytes_buf(&out, 16)
        var reader = ByteReader(out[...])
        return reader.digest() ?? Digest(high: 0, low: 0)
    }
}
