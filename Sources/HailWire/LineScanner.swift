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
    private var gaugeSign: GaugeSign

    /// - Parameters:
    ///   - seed: drawn anew per process, so that nobody can choose names that collide.
    ///   - gaugeSign: what a signed gauge means.
    package init(seed: UInt64, gaugeSign: GaugeSign = .auto) {
        self.seed = seed | 1
        self.gaugeSign = gaugeSign
    }

    /// The same scanner with another meaning of a signed gauge; hashes stay as they are.
    package func with(_ gaugeSign: GaugeSign) -> LineScanner {
        var scanner = self
        scanner.gaugeSign = gaugeSign
        return scanner
    }

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
            let newline = ScanText.find(UInt8(ascii: "\n"), text, start, text.count)
            var end = newline
            if end > start, text[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            if end > start {
                var line = ScannedLine()
                line.number = number
                let (identityCount, valueCount) = (buffer.identityCount, buffer.valueCount)
                let memberCount = buffer.memberCount
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
                    buffer.memberCount = memberCount
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
        /// Whether a section is there that only DogStatsD clients send.
        var isDogStatsD = false
    }

    /// Whether a signed value moves a gauge.
    private func gaugeMoves(_ sections: Sections) -> Bool {
        switch gaugeSign {
        case .delta: true
        case .value: false
        case .auto: !sections.isDogStatsD
        }
    }

    private func scanLine(
        _ text: UnsafeBufferPointer<UInt8>, into buffer: LineBuffer, _ line: inout ScannedLine
    ) throws(LineError) {
        if text[0] == UInt8(ascii: "_"), try MessageScanner.scan(text, into: buffer, &line) {
            line.hash = hash(buffer.identities + Int(line.identityStart), count: Int(line.identityLength))
            return
        }
        let nameEnd = ScanText.find(UInt8(ascii: ":"), text, 0, text.count)
        guard nameEnd < text.count else { throw .missingValue }
        guard nameEnd > 0 else { throw .emptyName }
        let valuesEnd = ScanText.find(UInt8(ascii: "|"), text, nameEnd + 1, text.count)
        guard valuesEnd < text.count else { throw .missingType }
        let typeEnd = ScanText.find(UInt8(ascii: "|"), text, valuesEnd + 1, text.count)
        let kind = try Self.kind(text, valuesEnd + 1, typeEnd)
        let sections = try scanSections(text, from: typeEnd, &line)
        line.kind = kind

        line.identityStart = UInt32(buffer.identityCount)
        ScanText.append(text, 0, nameEnd + 1, to: buffer)
        let values = UnsafeBufferPointer(rebasing: text[(nameEnd + 1)..<valuesEnd])
        try ValueScanner(buffer: buffer, kind: kind, rate: sections.rate, gaugeMoves: gaugeMoves(sections))
            .scan(values, &line)
        ScanText.append(text, valuesEnd, typeEnd, to: buffer)
        if let tags = sections.tags, tags.count > 1 {
            buffer.identities[buffer.identityCount] = UInt8(ascii: "|")
            buffer.identityCount += 1
            ScanText.append(text, tags.lowerBound, tags.upperBound, to: buffer)
        }
        line.identityLength = UInt32(buffer.identityCount) - line.identityStart
        line.hash = hash(buffer.identities + Int(line.identityStart), count: Int(line.identityLength))
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
            let colon = ScanText.find(UInt8(ascii: ":"), text, start, end)
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
            let end = ScanText.find(UInt8(ascii: "|"), text, start, text.count)
            bar = end
            guard start < end else { throw .unknownSection }
            switch text[start] {
            case UInt8(ascii: "@"):
                guard !sections.hasRate else { throw .duplicateSection }
                guard ScanText.find(UInt8(ascii: ":"), text, start, end) == end else { throw .multiType }
                sections.rate = try DecimalText.rate(UnsafeBufferPointer(rebasing: text[(start + 1)..<end]))
                sections.hasRate = true
            case UInt8(ascii: "#"):
                guard sections.tags == nil else { throw .duplicateSection }
                sections.tags = start..<end
                sections.isDogStatsD = true
            case UInt8(ascii: "T"):
                guard !sections.hasTime else { throw .duplicateSection }
                line.timeSeconds = try Self.timestamp(text, start + 1, end)
                sections.hasTime = true
                sections.isDogStatsD = true
            default:
                try Self.checkIgnored(text[start..<end])
                sections.isDogStatsD = true
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

    // MARK: Bytes

    /// Whatever else is wrong with a refused line, a control byte is the reason to name; and where a `|` comes
    /// before any `:`, what was taken for values stood in a tag.
    private static func reason(_ error: LineError, _ line: UnsafeBufferPointer<UInt8>) -> LineError {
        if line.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return .controlByte }
        if line.starts(with: "_e{".utf8) || line.starts(with: "_sc|".utf8) { return error }
        let bar = ScanText.find(UInt8(ascii: "|"), line, 0, line.count)
        return ScanText.find(UInt8(ascii: ":"), line, 0, bar) == bar ? .missingValue : error
    }
}
