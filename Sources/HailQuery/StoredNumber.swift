/// Numbers as cells hold them, read from the bytes of a reply.
enum StoredNumber {
    /// A whole number.
    ///
    /// - Throws: `store_unreadable` for anything else.
    static func whole(_ text: UnsafeBufferPointer<UInt8>) throws(QueryError) -> Int64 {
        guard let number = number(text) else {
            throw Readings.unreadable("A counter in the store holds something that is not a whole number.")
        }
        return number
    }

    /// A decimal that is added to as a float.
    ///
    /// - Throws: `store_unreadable` for anything else.
    static func float(_ text: UnsafeBufferPointer<UInt8>) throws(QueryError) -> Double {
        guard let number = Double(String(decoding: text, as: UTF8.self)), number.isFinite else {
            throw Readings.unreadable("A timer in the store holds something that is not a number.")
        }
        return number
    }

    /// A whole number of 64 bits, or nil.
    static func number(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        let isNegative = text.first == UInt8(ascii: "-")
        guard text.count > (isNegative ? 1 : 0), text.count <= 20 else { return nil }
        var magnitude: UInt64 = 0
        for byte in text.dropFirst(isNegative ? 1 : 0) {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tenfold, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            magnitude = sum
        }
        guard isNegative else { return Int64(exactly: magnitude) }
        return magnitude <= 1 << 63 ? 0 &- Int64(truncatingIfNeeded: magnitude) : nil
    }
}
