import Glibc

/// Replies of the store as they come (RESP 2), read without an object for each: a transaction's are thousands of
/// whole numbers of which nearly all say nothing.
///
/// Holds nothing between two exchanges: each reads every reply it asked for.
struct ReplyStream: ~Copyable {
    /// One line of a reply.
    enum Line: Equatable {
        case integer(Int64)
        /// `OK`, `QUEUED`.
        case status
        case error(String)
        /// The length of the string that follows; nil where there is none.
        case string(Int?)
        /// How many replies follow; nil where there is none.
        case array(Int?)
    }

    /// The longest line that is taken.
    private static let capacity = 1 << 16

    private let base = UnsafeMutablePointer<UInt8>.allocate(capacity: ReplyStream.capacity)
    private var start = 0
    private var end = 0

    deinit { base.deallocate() }

    /// Reads one line.
    ///
    /// - Throws: `connectionLost`: the connection ended, took too long or says what no reply says.
    mutating func line(from descriptor: Int32) throws(StoreError) -> Line {
        if isQueued {
            start += ReplyStream.queued.utf8CodeUnitCount
            return .status
        }
        var scanned = start
        while true {
            while scanned < end {
                guard base[scanned] == UInt8(ascii: "\n") else {
                    scanned += 1
                    continue
                }
                guard scanned > start + 1, base[scanned - 1] == UInt8(ascii: "\r") else { throw ReplyStream.nonsense }
                let text = UnsafeBufferPointer(start: base + start, count: scanned - 1 - start)
                start = scanned + 1
                return try ReplyStream.read(text)
            }
            let seen = scanned - start
            try fill(from: descriptor)
            scanned = start + seen
        }
    }

    private static let queued: StaticString = "+QUEUED\r\n"

    /// Whether the next line is the one that half of all lines are.
    private var isQueued: Bool {
        let count = ReplyStream.queued.utf8CodeUnitCount
        return end - start >= count && memcmp(base + start, ReplyStream.queued.utf8Start, count) == 0
    }

    /// Reads the string behind a `Line.string`; of a long one only its first bytes.
    mutating func string(_ count: Int, from descriptor: Int32, keeping limit: Int = 64) throws(StoreError) -> [UInt8] {
        var kept: [UInt8] = []
        var rest = count
        while rest > 0 {
            if start == end { try fill(from: descriptor) }
            let step = min(rest, end - start)
            kept += UnsafeBufferPointer(start: base + start, count: min(step, max(0, limit - kept.count)))
            start += step
            rest -= step
        }
        for expected in [UInt8(ascii: "\r"), UInt8(ascii: "\n")] {
            if start == end { try fill(from: descriptor) }
            guard base[start] == expected else { throw ReplyStream.nonsense }
            start += 1
        }
        return kept
    }

    private mutating func fill(from descriptor: Int32) throws(StoreError) {
        if start > 0 {
            memmove(base, base + start, end - start)
            end -= start
            start = 0
        }
        guard end < ReplyStream.capacity else { throw ReplyStream.nonsense }
        while true {
            let got = recv(descriptor, base + end, ReplyStream.capacity - end, 0)
            if got > 0 {
                end += got
                return
            }
            if got < 0, errno == EINTR { continue }
            if got == 0 { throw .connectionLost("Server closed the connection") }
            throw .connectionLost(errno == EAGAIN ? RedisConnection.timeoutText : systemErrorText())
        }
    }

    private static var nonsense: StoreError { .connectionLost("Protocol error: a reply that makes no sense") }

    private static func read(_ text: UnsafeBufferPointer<UInt8>) throws(StoreError) -> Line {
        let rest = UnsafeBufferPointer(rebasing: text.dropFirst())
        switch text[0] {
        case UInt8(ascii: "+"): return .status
        case UInt8(ascii: "-"): return .error(String(decoding: rest, as: UTF8.self))
        case UInt8(ascii: ":"): return .integer(try number(rest))
        case UInt8(ascii: "$"): return .string(try count(rest))
        case UInt8(ascii: "*"): return .array(try count(rest))
        default: throw nonsense
        }
    }

    private static func count(_ digits: UnsafeBufferPointer<UInt8>) throws(StoreError) -> Int? {
        let value = try number(digits)
        guard value >= -1, value <= 1 << 40 else { throw nonsense }
        return value < 0 ? nil : Int(value)
    }

    private static func number(_ digits: UnsafeBufferPointer<UInt8>) throws(StoreError) -> Int64 {
        let isNegative = digits.first == UInt8(ascii: "-")
        var value: Int64 = 0
        for place in (isNegative ? 1 : 0)..<digits.count {
            let digit = digits[place] &- UInt8(ascii: "0")
            let (shifted, isFull) = value.multipliedReportingOverflow(by: 10)
            // Downwards, since the least number has no opposite.
            let (next, isOver) = shifted.subtractingReportingOverflow(Int64(digit))
            guard digit <= 9, !isFull, !isOver else { throw nonsense }
            value = next
        }
        guard digits.count > (isNegative ? 1 : 0), isNegative || value != .min else { throw nonsense }
        return isNegative ? value : -value
    }
}
