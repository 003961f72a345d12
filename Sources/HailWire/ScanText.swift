import HailCore

/// What the scanner does with bytes: find one, copy some.
enum ScanText {
    @inline(__always)
    static func append(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, to buffer: LineBuffer
    ) {
        guard end > start, let base = text.baseAddress else { return }
        (buffer.identities + buffer.identityCount).update(from: base + start, count: end - start)
        buffer.used.pointee.identities += end - start
    }

    /// The first place of a byte in `start..<end`, or `end`.
    @inline(__always)
    static func find(
        _ byte: UInt8, _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
    ) -> Int {
        guard let base = text.baseAddress else { return end }
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var index = start
        while index + 8 <= end {
            // A byte of `difference` is zero where the text matches (Warren, Hacker's Delight, 6-1).
            let word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
            let difference = word.littleEndian ^ pattern
            let zero = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if zero != 0 { return index + zero.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < end, base[index] != byte { index += 1 }
        return index
    }
}
