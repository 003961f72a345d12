package import HailCore

/// Splits a text into lines and finds, in each, the values and the identity that stays when they are taken away.
///
/// This is the unsafe part of the line path: it reads untrusted bytes by pointer. It checks what costs nothing while
/// looking: the shape of the line and its numbers. What a *new* identity says is checked once, by `SeriesNameParser`,
/// before it is counted; an identity seen before needs no second look.
///
/// An identity is the line without its values, rate, time and ignored sections:
/// `Product.42:revenue=:sales=|c|#country:US` or `api.users.get:|c`.
package struct LineScanner {
    private let seed: UInt64

    /// - Parameter seed: drawn anew per process, so that nobody can choose names that collide.
    package init(seed: UInt64) { self.seed = seed | 1 }

    /// Scans a text of at most `LineBuffer.textBytes` bytes into the buffer, which is emptied first.
    ///
    /// Empty lines are left out but numbered. A refused line is in the buffer with its error.
    ///
    /// - Parameter times: Unix seconds that a line's `T` may name; before them it is `late`, after them `future`.
    package func scan(
        _ text: UnsafeBufferPointer<UInt8>, into buffer: LineBuffer, firstNumber: UInt32 = 1,
        times: ClosedRange<Int64> = 0...Int64.max
    ) {
        precondition(text.count <= LineBuffer.textBytes, "a text must be cut at lines before it is scanned")
        buffer.removeAll()
        var start = 0
        var number = firstNumber
        while start < text.count {
            let newline = Self.find(UInt8(ascii: "\n"), text, start, text.count)
            var end = newline
            if end > start, text[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            if end > start {
                var line = ScannedLine()
                line.number = number
                let (identityCount, valueCount) = (buffer.identityCount, buffer.valueCount)
                do throws(LineError) {
                    try scanLine(UnsafeBufferPointer(rebasing: text[start..<end]), into: buffer, &line)
                    if line.timeSeconds != ScannedLine.noTime {
                        guard line.timeSeconds >= times.lowerBound else { throw .late }
                        guard line.timeSeconds <= times.upperBound else { throw .future }
                    }
                } catch {
                    line.error = Self.reason(error, UnsafeBufferPointer(rebasing: text[start..<end]))
                    buffer.identityCount = identityCount
                    buffer.valueCount = valueCount
                }
                buffer.lines[buffer.lineCount] = line
                buffer.lineCount += 1
            }
            number &+= 1
            start = newline + 1
        }
    }

    /// The keyed hash of identity bytes; the eight bytes after them may be read.
    package func hash(_ bytes: UnsafePointer<UInt8>, count: Int) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
        var index = 0
        while index < count {
            var word = UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self).littleEndian
            let left = count - index
            if left < 8 { word &= (1 << UInt64(8 * left)) - 1 }
            let product = (hash ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            hash = product.high ^ product.low ^ seed
            index += 8
        }
        let product = hash.multipliedFullWidth(by: 0xA076_1D64_78BD_642F ^ seed)
        return product.high ^ product.low
    }

    // MARK: One line

    private struct Sections {
        var rate = DecimalText.Rate.one
        var hasRate = false
        var hasTime = false
        var tags: Range<Int>?
    }

    private func scanLine(
        _ text: UnsafeBufferPointer<UInt8>, into buffer: LineBuffer, _ line: inout ScannedLine
    ) throws(LineError) {
        if text[0] == UInt8(ascii: "_"), Self.isDogStatsDMessage(text) { throw .unsupportedType }
        let nameEnd = Self.find(UInt8(ascii: ":"), text, 0, text.count)
        guard nameEnd < text.count else { throw .missingValue }
        guard nameEnd > 0 else { throw .emptyName }
        let valuesEnd = Self.find(UInt8(ascii: "|"), text, nameEnd + 1, text.count)
        guard valuesEnd < text.count else { throw .missingType }
        let typeEnd = Self.find(UInt8(ascii: "|"), text, valuesEnd + 1, text.count)
        let kind = try Self.kind(text, valuesEnd + 1, typeEnd)
        let sections = try scanSections(text, from: typeEnd, &line)
        guard kind == .counter else { throw .unsupportedType }

        line.identityStart = UInt32(buffer.identityCount)
        Self.append(text, 0, nameEnd + 1, to: buffer)
        try scanValues(text, nameEnd + 1, valuesEnd, rate: sections.rate, into: buffer, &line)
        Self.append(text, valuesEnd, typeEnd, to: buffer)
        if let tags = sections.tags, tags.count > 1 {
            buffer.identities[buffer.identityCount] = UInt8(ascii: "|")
            buffer.identityCount += 1
            Self.append(text, tags.lowerBound, tags.upperBound, to: buffer)
        }
        line.identityLength = UInt32(buffer.identityCount) - line.identityStart
        line.hash = hash(buffer.identities + Int(line.identityStart), count: Int(line.identityLength))
    }

    private static func isDogStatsDMessage(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        text.starts(with: [UInt8(ascii: "_"), UInt8(ascii: "e"), UInt8(ascii: "{")])
            || text.starts(with: [UInt8(ascii: "_"), UInt8(ascii: "s"), UInt8(ascii: "c"), UInt8(ascii: "|")])
    }

    private static func kind(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
    ) throws(LineError) -> Kind {
        switch end - start {
        case 0: throw .missingType
        case 1:
            switch text[start] {
            case UInt8(ascii: "c"): return .counter
            case UInt8(ascii: "g"): return .gauge
            case UInt8(ascii: "h"), UInt8(ascii: "d"): return .timer
            case UInt8(ascii: "s"): return .set
            default: throw .badType
            }
        case 2 where text[start] == UInt8(ascii: "m") && text[start + 1] == UInt8(ascii: "s"):
            return .timer
        default:
            // Etsy's `a:1|c:2|ms`: the type is followed by the next value.
            let colon = find(UInt8(ascii: ":"), text, start, end)
            guard colon < end, colon > start, (try? kind(text, start, colon)) != nil else { throw .badType }
            throw .multiType
        }
    }

    private func scanSections(
        _ text: UnsafeBufferPointer<UInt8>, from typeEnd: Int, _ line: inout ScannedLine
    ) throws(LineError) -> Sections {
        var sections = Sections()
        var bar = typeEnd
        while bar < text.count {
            let start = bar + 1
            let end = Self.find(UInt8(ascii: "|"), text, start, text.count)
            bar = end
            guard start < end else { throw .unknownSection }
            switch text[start] {
            case UInt8(ascii: "@"):
                guard !sections.hasRate else { throw .duplicateSection }
                guard Self.find(UInt8(ascii: ":"), text, start, end) == end else { throw .multiType }
                sections.rate = try DecimalText.rate(UnsafeBufferPointer(rebasing: text[(start + 1)..<end]))
                sections.hasRate = true
            case UInt8(ascii: "#"):
                guard sections.tags == nil else { throw .duplicateSection }
                sections.tags = start..<end
            case UInt8(ascii: "T"):
                guard !sections.hasTime else { throw .duplicateSection }
                line.timeSeconds = try Self.timestamp(text, start + 1, end)
                sections.hasTime = true
            default:
                try Self.checkIgnored(text[start..<end])
            }
        }
        return sections
    }

    /// DogStatsD's container, external-data and cardinality sections: their text is no part of the identity, so
    /// it is checked here.
    private static func checkIgnored(_ section: Slice<UnsafeBufferPointer<UInt8>>) throws(LineError) {
        guard
            section.starts(with: "c:".utf8) || section.starts(with: "e:".utf8) || section.starts(with: "card:".utf8)
        else { throw .unknownSection }
        var bits: UInt8 = 0
        for byte in section {
            guard byte >= 0x20, byte != 0x7F else { throw .controlByte }
            bits |= byte
        }
        guard bits < 0x80 || String(validating: section, as: UTF8.self) != nil else { throw .notUTF8 }
    }

    private static func timestamp(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
    ) throws(LineError) -> Int64 {
        guard end > start, end - start <= 12 else { throw .badTimestamp }
        var seconds: Int64 = 0
        for byte in text[start..<end] {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { throw .badTimestamp }
            seconds = seconds * 10 + Int64(digit)
        }
        return seconds
    }

    // MARK: Values

    private func scanValues(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, rate: DecimalText.Rate,
        into buffer: LineBuffer, _ line: inout ScannedLine
    ) throws(LineError) {
        line.valuesStart = UInt32(buffer.valueCount)
        let firstEnd = Self.find(UInt8(ascii: ":"), text, start, end)
        let isEvent = Self.find(UInt8(ascii: "="), text, start, firstEnd) < firstEnd
        var metricCount = 0
        var namesHits = false
        var next = start
        repeat {
            let valueEnd = Self.find(UInt8(ascii: ":"), text, next, end)
            let equals = Self.find(UInt8(ascii: "="), text, next, valueEnd)
            guard isEvent == (equals < valueEnd) else { throw .mixedForms }
            if isEvent {
                guard equals > next else { throw .emptyMetric }
                guard metricCount < Limits.metricsPerLine else { throw .tooManyMetrics }
                if metricCount > 0 {
                    buffer.identities[buffer.identityCount] = UInt8(ascii: ":")
                    buffer.identityCount += 1
                }
                Self.append(text, next, equals + 1, to: buffer)
                if text[next..<equals].elementsEqual(SeriesName.hits.utf8) { namesHits = true }
                metricCount += 1
                next = equals + 1
            }
            guard next < valueEnd else { throw .missingValue }
            buffer.values[buffer.valueCount] = try DecimalText.micros(
                UnsafeBufferPointer(rebasing: text[next..<valueEnd]), rate: rate)
            buffer.valueCount += 1
            next = valueEnd + 1
        } while next <= end
        if isEvent && !namesHits {
            buffer.values[buffer.valueCount] = rate.weightMicros
            buffer.valueCount += 1
            metricCount += 1
        }
        line.valueCount = UInt32(buffer.valueCount) - line.valuesStart
        line.slotCount = isEvent ? UInt32(metricCount) : 1
    }

    // MARK: Bytes

    /// Whatever else is wrong with a refused line, a control byte is the reason to name; and where a `|` comes
    /// before any `:`, what was taken for values stood in a tag.
    private static func reason(_ error: LineError, _ line: UnsafeBufferPointer<UInt8>) -> LineError {
        if line.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return .controlByte }
        if error == .unsupportedType, isDogStatsDMessage(line) { return error }
        let bar = find(UInt8(ascii: "|"), line, 0, line.count)
        return find(UInt8(ascii: ":"), line, 0, bar) == bar ? .missingValue : error
    }

    @inline(__always)
    private static func append(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, to buffer: LineBuffer
    ) {
        guard end > start, let base = text.baseAddress else { return }
        (buffer.identities + buffer.identityCount).update(from: base + start, count: end - start)
        buffer.identityCount += end - start
    }

    /// The first place of a byte in `start..<end`, or `end`.
    @inline(__always)
    private static func find(
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
