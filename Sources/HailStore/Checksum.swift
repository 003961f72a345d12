internal import CBytes

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as iSCSI has it (RFC 3720, appendix B.4).
package enum Checksum {
    /// `tables[k][b]` is the remainder of byte b followed by k zero bytes: eight bytes are looked up at once.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var remainder = UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 0 ? remainder >> 1 : (remainder >> 1) ^ 0x82F6_3B78 }
            tables[byte] = remainder
        }
        for index in 256..<(8 * 256) {
            let before = tables[index - 256]
            tables[index] = (before >> 8) ^ tables[Int(before & 0xFF)]
        }
        return tables
    }()

    private static let hasInstruction = bytes_has_crc32c() != 0

    package static func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let contiguous: UInt32? = bytes.withContiguousStorageIfAvailable { buffer in
            crc32c(UnsafeRawBufferPointer(buffer))
        }
        return contiguous ?? Array(bytes).withUnsafeBytes { crc32c($0) }
    }

    private static func crc32c(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard hasInstruction, let start = bytes.baseAddress else { return crc32cByTables(bytes) }
        return bytes_crc32c(start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// What machines without the instruction run.
    static func crc32cByTables(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var remainder: UInt32 = 0xFFFF_FFFF
        tables.withUnsafeBufferPointer { table in
            var index = 0
            while index + 8 <= bytes.count {
                let first =
                    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)) ^ remainder
                let second = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index + 4, as: UInt32.self))
                remainder =
                    table[7 * 256 + Int(first & 0xFF)] ^ table[6 * 256 + Int(first >> 8 & 0xFF)]
                    ^ table[5 * 256 + Int(first >> 16 & 0xFF)] ^ table[4 * 256 + Int(first >> 24)]
                remainder ^=
                    table[3 * 256 + Int(second & 0xFF)] ^ table[2 * 256 + Int(second >> 8 & 0xFF)]
                    ^ table[256 + Int(second >> 16 & 0xFF)] ^ table[Int(second >> 24)]
                index += 8
            }
            while index < bytes.count {
                remainder = table[Int((remainder ^ UInt32(bytes[index])) & 0xFF)] ^ (remainder >> 8)
                index += 1
            }
        }
        return ~remainder
    }
}
