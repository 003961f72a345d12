package import HailCore

/// Writes the identity that stands for a name: what HTTP writes are counted under, and the inverse of
/// `SeriesNameParser`.
package enum SeriesNameEncoder {
    /// The identity of a name: in the event form where it counts `hits`, else in the StatsD form, which has one metric.
    package static func identity(of name: SeriesName) -> [UInt8] {
        var bytes: [UInt8] = []
        if name.metrics.contains(SeriesName.hits) {
            append(name.subject.isEmpty ? [Reserved.overall] : name.subject, separator: ".", to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            appendMetrics(name.metrics, to: &bytes)
        } else {
            append(name.subject + name.metrics.prefix(1), separator: ".", to: &bytes)
            bytes.append(UInt8(ascii: ":"))
        }
        bytes.append(UInt8(ascii: "|"))
        bytes += name.isExact ? Array(SeriesNameParser.exactType.utf8) : [name.kind.letter]
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
    private static func appendMetrics(_ metrics: [String], to bytes: inout [UInt8]) {
        let isImplied = metrics.count > 1 && metrics.firstIndex(of: SeriesName.hits) == metrics.count - 1
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
