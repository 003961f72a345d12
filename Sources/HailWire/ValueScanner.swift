import HailCore

/// Reads the values of a line, between its name and its type, and adds the metric names among them to the identity.
struct ValueScanner {
    let buffer: LineBuffer
    let kind: Kind
    let rate: DecimalText.Rate
    /// Whether a signed value moves a gauge.
    let gaugeMoves: Bool

    func scan(_ text: UnsafeBufferPointer<UInt8>, _ line: inout ScannedLine) throws(LineError) {
        line.valuesStart = UInt32(buffer.valueCount)
        if kind == .set {
            try putMember(text)
            line.slotCount = 1
        } else {
            try scanNumbers(text, &line)
        }
        line.valueCount = UInt32(buffer.valueCount) - line.valuesStart
        if kind == .timer { line.weightMicros = rate.weightMicros }
    }

    private func scanNumbers(_ text: UnsafeBufferPointer<UInt8>, _ line: inout ScannedLine) throws(LineError) {
        let end = text.count
        let firstEnd = ScanText.find(UInt8(ascii: ":"), text, 0, end)
        let isEvent = ScanText.find(UInt8(ascii: "="), text, 0, firstEnd) < firstEnd
        var metricCount = 0
        var namesHits = false
        var next = 0
        repeat {
            let valueEnd = ScanText.find(UInt8(ascii: ":"), text, next, end)
            let equals = ScanText.find(UInt8(ascii: "="), text, next, valueEnd)
            guard isEvent == (equals < valueEnd) else { throw .mixedForms }
            if isEvent {
                guard equals > next else { throw .emptyMetric }
                guard metricCount < Limits.metricsPerLine else { throw .tooManyMetrics }
                if metricCount > 0 {
                    buffer.identities[buffer.identityCount] = UInt8(ascii: ":")
                    buffer.used.pointee.identities += 1
                }
                ScanText.append(text, next, equals + 1, to: buffer)
                if text[next..<equals].elementsEqual(SeriesName.hits.utf8) { namesHits = true }
                metricCount += 1
                next = equals + 1
            }
            guard next < valueEnd else { throw .missingValue }
            try putNumber(UnsafeBufferPointer(rebasing: text[next..<valueEnd]))
            next = valueEnd + 1
        } while next <= end
        if isEvent && !namesHits && kind == .counter {
            put(rate.weightMicros)
            metricCount += 1
        }
        line.slotCount = isEvent ? UInt16(metricCount) : 1
    }

    private func putNumber(_ text: UnsafeBufferPointer<UInt8>) throws(LineError) {
        switch kind {
        case .counter: put(try DecimalText.micros(text, rate: rate))
        case .timer:
            // The value itself is kept, but what it adds to the sum must stay in range.
            if !rate.isOne { _ = try DecimalText.micros(text, rate: rate) }
            put(try DecimalText.micros(text))
        case .gauge:
            put(Int64(bitPattern: try DecimalText.double(text).bitPattern))
            let isSigned = text[0] == UInt8(ascii: "+") || text[0] == UInt8(ascii: "-")
            put(isSigned && gaugeMoves ? 1 : 0)
        case .set: throw .badNumber
        }
    }

    /// A set's member is one opaque text.
    private func putMember(_ text: UnsafeBufferPointer<UInt8>) throws(LineError) {
        guard !text.isEmpty else { throw .missingValue }
        guard !text.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { throw .controlByte }
        guard String(validating: text, as: UTF8.self) != nil else { throw .notUTF8 }
        buffer.used.pointee.hasMembers = true
        put(Int64(buffer.memberCount))
        put(Int64(text.count))
        buffer.appendMember(text)
    }

    @inline(__always)
    private func put(_ value: Int64) {
        buffer.values[buffer.valueCount] = value
        buffer.used.pointee.values += 1
    }
}
