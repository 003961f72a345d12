internal import CBytes
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
    private let seed: bytes_seed
    private var gaugeSign: GaugeSign

    /// - Parameters:
    ///   - seed: drawn anew per process, so that nobody can choose names that collide.
    ///   - gaugeSign: what a signed gauge means.
    package init(seed: UInt64, gaugeSign: GaugeSign = .auto) {
        // Three words of SplitMix64 (Steele, Lea, Flood 2014).
        func word(_ place: UInt64) -> UInt64 {
            var word = seed &+ place &* 0x9E37_79B9_7F4A_7C15
            word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
            return word ^ word >> 31
        }
        self.seed = bytes_seed(first: word(1), second: word(2), third: word(3))
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
    /// Empty lines are left out but numbered. A refused line is in the buffer with its error. The text must stay where
    /// it is for as long as the lines are used: identities are left in it.
    ///
    /// - Parameter times: Unix seconds that a line's `T` may name; before them it is `late`, after them `future`.
    package func scan(
        _ text: UnsafeBufferPointer<UInt8>, into buffer: LineBuffer, firstNumber: UInt32 = 1,
        times: ClosedRange<Int64> = 0...Int64.max
    ) {
        buffer.removeAll()
        scan(text, behind: buffer, firstNumber: firstNumber, times: times)
    }

    /// Scans a text into the buffer, behind the lines that it has; there must be room for the text.
    package func scan(
        _ text: UnsafeBufferPointer<UInt8>, behind buffer: LineBuffer, firstNumber: UInt32 = 1,
        times: ClosedRange<Int64>
    ) {
        buffer.reserve(text.count)
        guard let base = text.baseAddress else { return }
        bytes_mark(base, text.count, buffer.colons, buffer.ends)
        let quick = QuickLine(text: base, count: text.count, colons: buffer.colons, ends: buffer.ends, seed: seed)
        let (lines, values, used) = (buffer.lines, buffer.values, buffer.used)
        var line = lines + used.pointee.lines
        var valueCount = used.pointee.values
        var start = 0
        var number = firstNumber
        while start < text.count {
            if let next = quick.read(at: start, into: line, value: values + valueCount) {
                line.pointee.valuesStart = UInt32(truncatingIfNeeded: valueCount)
                line.pointee.number = number
                line += 1
                valueCount &+= 1
                start = next
            } else {
                used.pointee.lines = line - lines
                used.pointee.values = valueCount
                start = scanAny(text, start, into: buffer, number: number, times: times)
                line = lines + used.pointee.lines
                valueCount = used.pointee.values
            }
            number &+= 1
        }
        used.pointee.lines = line - lines
        used.pointee.values = valueCount
    }

    /// Scans the line that begins at `start`, whatever it is.
    ///
    /// - Returns: where the next line begins.
    @inline(never)
    private func scanAny(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, into buffer: LineBuffer, number: UInt32,
        times: ClosedRange<Int64>
    ) -> Int {
        let newline = ScanText.find(UInt8(ascii: "\n"), text, start, text.count)
        var end = newline
        if end > start, text[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        guard end > start else { return newline + 1 }
        var line = ScannedLine(at: UnsafePointer(buffer.identities + buffer.identityCount))
        line.number = number
        let before = buffer.used.pointee
        do throws(LineError) {
            try scanLine(UnsafeBufferPointer(rebasing: text[start..<end]), into: buffer, &line)
            if line.timeSeconds != ScannedLine.noTime {
                guard line.timeSeconds >= times.lowerBound else { throw .late }
                guard line.timeSeconds <= times.upperBound else { throw .future }
            }
        } catch {
            line.error = Self.reason(error, UnsafeBufferPointer(rebasing: text[start..<end]))
            buffer.used.pointee = before
            buffer.used.pointee.refused += 1
        }
        buffer.lines[buffer.lineCount] = line
        buffer.used.pointee.lines += 1
        return newline + 1
    }

    /// The keyed hash of identity bytes.
    package func hash(_ bytes: UnsafePointer<UInt8>, count: Int) -> UInt64 {
        let text = UnsafeBufferPointer(start: bytes, count: count)
        let head = min(ScanText.find(UInt8(ascii: ":"), text, 0, count) + 1, count)
        return bytes_hash(bytes, head, bytes + head, count - head, seed)
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
            close(&line, in: buffer)
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

        ScanText.append(text, 0, nameEnd + 1, to: buffer)
        line.headLength = UInt32(nameEnd + 1)
        let values = UnsafeBufferPointer(rebasing: text[(nameEnd + 1)..<valuesEnd])
        try ValueScanner(buffer: buffer, kind: kind, rate: sections.rate, gaugeMoves: gaugeMoves(sections))
            .scan(values, &line)
        ScanText.append(text, valuesEnd, typeEnd, to: buffer)
        if let tags = sections.tags, tags.count > 1 {
            buffer.identities[buffer.identityCount] = UInt8(ascii: "|")
            buffer.used.pointee.identities += 1
            ScanText.append(text, tags.lowerBound, tags.upperBound, to: buffer)
        }
        close(&line, in: buffer)
    }

    /// The identity of a line whose head was set is whole: what follows the head in the buffer is the tail.
    private func close(_ line: inout ScannedLine, in buffer: LineBuffer) {
        line.tail = line.head + Int(line.headLength)
        line.tailLength = UInt32(UnsafePointer(buffer.identities + buffer.identityCount) - line.tail)
        line.hash = bytes_hash(line.head, Int(line.headLength), line.tail, Int(line.tailLength), seed)
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
