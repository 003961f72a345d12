import HailCore

/// DogStatsD's events and service checks, which are no metrics by their form.
///
/// Format: DogStatsD datagram specification, versions 1.0 to 1.6.
enum MessageScanner {
    /// Reads a line that begins with `_e{` or `_sc|`; false for any other.
    ///
    /// An event is checked and taken in with an empty identity: it counts nowhere. A service check is a gauge: its
    /// name's last part is the metric, its status the value.
    ///
    /// - Throws: `badEvent`, `badServiceCheck`.
    static func scan(
        _ text: UnsafeBufferPointer<UInt8>, into buffer: LineBuffer, _ line: inout ScannedLine
    ) throws(LineError) -> Bool {
        if text.starts(with: "_e{".utf8) {
            guard isEvent(text) else { throw .badEvent }
            return true
        }
        guard text.starts(with: "_sc|".utf8) else { return false }
        try scanCheck(text, into: buffer, &line)
        return true
    }

    /// `_e{TITLE_BYTES,TEXT_BYTES}:TITLE|TEXT` and sections.
    private static func isEvent(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 3
        guard let titleCount = number(text, &index, end: UInt8(ascii: ",")),
            let textCount = number(text, &index, end: UInt8(ascii: "}")),
            titleCount > 0, index < text.count, text[index] == UInt8(ascii: ":")
        else { return false }
        let bar = index + 1 + titleCount
        let end = bar + 1 + textCount
        guard end <= text.count, text[bar] == UInt8(ascii: "|") else { return false }
        guard end == text.count || text[end] == UInt8(ascii: "|") else { return false }
        guard !text.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return false }
        return String(validating: text, as: UTF8.self) != nil
    }

    private static func number(
        _ text: UnsafeBufferPointer<UInt8>, _ index: inout Int, end: UInt8
    ) -> Int? {
        var value = 0
        let start = index
        while index < text.count, text[index] &- UInt8(ascii: "0") < 10, index - start < 6 {
            value = value * 10 + Int(text[index] - UInt8(ascii: "0"))
            index += 1
        }
        guard index > start, index < text.count, text[index] == end else { return nil }
        index += 1
        return value
    }

    /// `_sc|NAME|STATUS` and sections; `m:` is the last and its text is free.
    private static func scanCheck(
        _ text: UnsafeBufferPointer<UInt8>, into buffer: LineBuffer, _ line: inout ScannedLine
    ) throws(LineError) {
        let nameEnd = ScanText.find(UInt8(ascii: "|"), text, 4, text.count)
        let statusEnd = ScanText.find(UInt8(ascii: "|"), text, min(nameEnd + 1, text.count), text.count)
        guard nameEnd > 4, statusEnd == nameEnd + 2 else { throw .badServiceCheck }
        let status = text[nameEnd + 1] &- UInt8(ascii: "0")
        guard status <= 3, !text[4..<nameEnd].contains(UInt8(ascii: ":")) else { throw .badServiceCheck }
        let tags = try sections(text, from: statusEnd, &line)
        line.kind = .gauge
        ScanText.append(text, 4, nameEnd, to: buffer)
        line.headLength = UInt32(nameEnd - 4 + 1)
        for byte in ":|g".utf8 {
            buffer.identities[buffer.identityCount] = byte
            buffer.used.pointee.identities += 1
        }
        if let tags, tags.count > 1 {
            buffer.identities[buffer.identityCount] = UInt8(ascii: "|")
            buffer.used.pointee.identities += 1
            ScanText.append(text, tags.lowerBound, tags.upperBound, to: buffer)
        }
        line.valuesStart = UInt32(buffer.valueCount)
        buffer.values[buffer.valueCount] = Int64(bitPattern: Double(status).bitPattern)
        buffer.values[buffer.valueCount + 1] = 0
        buffer.used.pointee.values += 2
        line.valueCount = 2
        line.slotCount = 1
    }

    /// Reads time and tags; other sections are taken and ignored.
    private static func sections(
        _ text: UnsafeBufferPointer<UInt8>, from statusEnd: Int, _ line: inout ScannedLine
    ) throws(LineError) -> Range<Int>? {
        var tags: Range<Int>?
        var bar = statusEnd
        while bar < text.count {
            let start = bar + 1
            let end = ScanText.find(UInt8(ascii: "|"), text, start, text.count)
            let section = text[start..<end]
            bar = end
            if section.starts(with: "m:".utf8) {
                break
            } else if section.first == UInt8(ascii: "#") {
                guard tags == nil else { throw .badServiceCheck }
                tags = start..<end
            } else if section.starts(with: "d:".utf8) {
                var index = start + 2
                var seconds: Int64 = 0
                guard end > index, end - index <= 12, line.timeSeconds == ScannedLine.noTime else {
                    throw .badServiceCheck
                }
                while index < end {
                    let digit = text[index] &- UInt8(ascii: "0")
                    guard digit < 10 else { throw .badServiceCheck }
                    seconds = seconds * 10 + Int64(digit)
                    index += 1
                }
                line.timeSeconds = seconds
            } else {
                guard ["h:", "c:", "e:", "card:"].contains(where: { section.starts(with: $0.utf8) }) else {
                    throw .badServiceCheck
                }
            }
        }
        guard !text.contains(where: { $0 < 0x20 || $0 == 0x7F }), String(validating: text, as: UTF8.self) != nil
        else { throw .badServiceCheck }
        return tags
    }
}
