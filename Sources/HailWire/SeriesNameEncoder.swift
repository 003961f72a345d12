package import HailCore

/// Writes the identity that stands for a name: what HTTP writes are counted under, and the inverse of
/// `SeriesNameParser`.
package enum SeriesNameEncoder {
    /// The identity of a name: in the event form where it counts `hits` or has several metrics, else in the StatsD form.
    package static func identity(of name: SeriesName) -> [UInt8] {
        var bytes: [UInt8] = []
        let isEvent = name.kind == .counter ? name.metrics.contains(SeriesName.hits) : name.metrics.count > 1
        if isEvent {
            append(name.subject.isEmpty ? [Reserved.overall] : name.subject, separator: ".", to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            appendMetrics(name, to: &bytes)
        } else {
            append(name.subject + name.metrics.prefix(1), separator: ".", to: &bytes)
            bytes.append(UInt8(ascii: ":"))
        }
        bytes.append(UInt8(ascii: "|"))
        bytes += (WireType.text(of: name.kind) + (name.isExact ? WireType.exactMark : "")).utf8
        if !name.paths.isEmpty { bytes += Array("|#".utf8) }
        for (index, path) in name.paths.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            for (depth, part) in path.enumerated() {
                if depth > 0 { bytes.append(UInt8(ascii: depth == 1 ? ":" : ">")) }
                bytes += PercentText.encode(part)
            }
        }
        return bytes
    }

    /// Hits that stand last are not written: the parser adds them again.
    private static func appendMetrics(_ name: SeriesName, to bytes: inout [UInt8]) {
        let metrics = name.metrics
        let isImplied =
            name.kind == .counter && metrics.count > 1 && metrics.firstIndex(of: SeriesName.hits) == metrics.count - 1
        for (index, metric) in (isImplied ? metrics.dropLast() : metrics[...]).enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ":")) }
            bytes += PercentText.encode(metric)
            bytes.append(UInt8(ascii: "="))
        }
    }

    private static func append(_ parts: [String], separator: Unicode.Scalar, to bytes: inout [UInt8]) {
        for (index, part) in parts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: separator)) }
            bytes += PercentText.encode(part)
        }
    }
}
