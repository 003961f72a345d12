/// One of 256 fixed slices of subjects, each with a Redis hash tag of its own.
package struct Shard: Hashable, Sendable {
    package let number: UInt8

    package init(_ number: UInt8) { self.number = number }

    /// The shard of a subject: the first byte of its digest.
    package init(subject: Digest) { number = subject[0] }

    /// The hash tag, without its braces.
    package var tag: [UInt8] { Shard.tags[Int(number)] }

    /// Shard i takes the first text of three base-36 digits (`000`, `001`, …) whose cluster slot lies in [64·i, 64·i +
    /// 64), so any number of masters with contiguous slots gets an even share.
    ///
    /// `protocol/vectors/slots.json` publishes them.
    private static let tags: [[UInt8]] = {
        let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
        var tags = [[UInt8]](repeating: [], count: 256)
        var missing = 256
        for number in 0..<(36 * 36 * 36) where missing > 0 {
            let tag = [digits[number / 1296], digits[number / 36 % 36], digits[number % 36]]
            let shard = Int(slot(of: tag)) / 64
            if tags[shard].isEmpty {
                tags[shard] = tag
                missing -= 1
            }
        }
        return tags
    }()

    /// The cluster slot of a hash tag: CRC-16/XMODEM modulo 16384 (Redis cluster specification, appendix A).
    package static func slot(of tag: [UInt8]) -> UInt16 {
        var remainder: UInt16 = 0
        for byte in tag {
            remainder ^= UInt16(byte) << 8
            for _ in 0..<8 {
                remainder = remainder & 0x8000 == 0 ? remainder << 1 : (remainder << 1) ^ 0x1021
            }
        }
        return remainder & 0x3FFF
    }
}
