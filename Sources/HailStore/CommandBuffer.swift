import Glibc
import HailCore

/// Bytes of commands on their way to the store, in memory that is used again and again.
struct CommandBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 1 << 19) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Makes room for so many bytes more; what is appended after it must fit.
    mutating func reserve(_ room: Int) {
        guard count + room > capacity else { return }
        capacity = max(2 * capacity, count + room)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
    }

    /// Forgets what comes after so many bytes.
    mutating func truncate(to length: Int) { count = min(count, length) }

    mutating func append(_ byte: UInt8) {
        precondition(count < capacity, "room is reserved")
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress else { return }
        precondition(source.count <= capacity - count, "room is reserved")
        memcpy(base + count, start, source.count)
        count += source.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ array: [UInt8]) { array.withUnsafeBytes { append($0) } }

    /// Appends bytes that it holds already.
    mutating func appendAgain(_ range: Range<Int>) {
        append(UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    mutating func appendLine(_ mark: UInt8, _ number: Int) {
        append(mark)
        append(decimal: Int64(number))
        append("\r\n")
    }

    /// Appends a number as an argument: its length, then its digits.
    mutating func append(argument number: Int64) {
        appendLine(UInt8(ascii: "$"), CommandBuffer.digitCount(number))
        append(decimal: number)
        append("\r\n")
    }

    mutating func append(argument source: UnsafeRawBufferPointer) {
        appendLine(UInt8(ascii: "$"), source.count)
        append(source)
        append("\r\n")
    }

    mutating func append(argument array: [UInt8]) { array.withUnsafeBytes { append(argument: $0) } }

    mutating func append(decimal number: Int64) {
        var magnitude = number.magnitude
        if number < 0 { append(UInt8(ascii: "-")) }
        guard magnitude > 9 else { return append(UInt8(ascii: "0") + UInt8(magnitude)) }
        let digits = CommandBuffer.digitCount(Int64(clamping: magnitude))
        precondition(digits <= capacity - count, "room is reserved")
        var place = count + digits
        count = place
        repeat {
            place -= 1
            let (quotient, digit) = magnitude.quotientAndRemainder(dividingBy: 10)
            base.storeBytes(of: UInt8(ascii: "0") + UInt8(digit), toByteOffset: place, as: UInt8.self)
            magnitude = quotient
        } while magnitude > 0
    }

    /// Characters of a number in decimal.
    static func digitCount(_ number: Int64) -> Int {
        var rest = number.magnitude
        var count = number < 0 ? 2 : 1
        while rest > 9 {
            rest /= 10
            count += 1
        }
        return count
    }
}
