package import HailCore

/// Reads what the identity bytes of a series say, and refuses those that a line may not have.
package enum SeriesNameParser {
    /// Reads the identities of series that were taken in.
    package static let namer: Namer = { try? parse(Array($0), isAgents: true) }

    /// Reads an identity as `LineScanner` or `SeriesNameEncoder` makes it.
    ///
    /// - Parameter isAgents: whether the agent wrote it, in its spool: it uses the names that no line may have.
    /// - Throws: the reason why a line with this identity must be refused.
    package static func parse(_ identity: [UInt8], isAgents: Bool = false) throws(LineError) -> SeriesName {
        func isReserved(_ part: String) -> Bool {
            isAgents ? part == Reserved.overall : SeriesNameParser.isReserved(part)
        }
        guard !identity.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { throw .controlByte }
        guard let text = String(validating: identity, as: UTF8.self) else { throw .notUTF8 }
        let sections = text.utf8.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
        guard sections.count >= 2, let colon = sections[0].firstIndex(of: UInt8(ascii: ":")) else {
            throw .missingValue
        }
        let type = String(Substring(sections[1]))
        guard let kind = WireType.kind(of: type) else { throw .badType }
        let name = sections[0][..<colon]
        try refuseForeignTags(name)
        let valueNames = sections[0][sections[0].index(after: colon)...]
        var parts = try nameParts(name)
        let paths = sections.count > 2 ? try tags(sections[2].dropFirst()) : []
        var metrics: [String]
        if valueNames.isEmpty {
            guard let metric = parts.popLast() else { throw .emptyName }
            metrics = [metric]
            guard metric != Reserved.overall, !parts.contains(where: isReserved) else { throw .reservedName }
        } else {
            metrics = try eventMetrics(valueNames, of: kind)
            if parts == [Reserved.overall] { parts = [] }
            guard !parts.contains(where: isReserved) else { throw .reservedName }
        }
        guard !metrics.contains(where: isReserved) else { throw .reservedName }
        guard parts.count <= Limits.subjectParts else { throw .tooManyParts }
        return SeriesName(
            subject: parts, metrics: metrics, kind: kind, paths: paths, isExact: type.hasSuffix(WireType.exactMark))
    }

    /// The kind that an identity says, whatever its names are.
    package static func kind(of identity: [UInt8]) -> Kind? {
        let sections = identity.split(separator: UInt8(ascii: "|"), maxSplits: 2, omittingEmptySubsequences: false)
        return sections.count > 1 ? WireType.kind(of: String(decoding: sections[1], as: UTF8.self)) : nil
    }

    private static func isReserved(_ part: String) -> Bool {
        part == Reserved.overall || part == Reserved.other || part == Reserved.cross
    }

    /// InfluxDB's and Graphite's tags in the name: `name,k=v:1|c` and `name;k=v:1|c`.
    private static func refuseForeignTags(_ name: Substring.UTF8View) throws(LineError) {
        guard let separator = name.firstIndex(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") }),
            name[separator...].contains(UInt8(ascii: "="))
        else { return }
        throw .tagsInName
    }

    private static func nameParts(_ name: Substring.UTF8View) throws(LineError) -> [String] {
        var parts: [String] = []
        for piece in name.split(separator: UInt8(ascii: ".")) {
            parts.append(try part(piece))
            // One more than a subject may have: the last may be a metric.
            guard parts.count <= Limits.subjectParts + 1 else { throw .tooManyParts }
        }
        guard !parts.isEmpty else { throw .emptyName }
        return parts
    }

    private static func eventMetrics(_ text: Substring.UTF8View, of kind: Kind) throws(LineError) -> [String] {
        var metrics: [String] = []
        for piece in text.split(separator: UInt8(ascii: ":")) {
            guard piece.last == UInt8(ascii: "="), piece.count > 1 else { throw .emptyMetric }
            guard metrics.count < Limits.metricsPerLine else { throw .tooManyMetrics }
            metrics.append(try part(piece.dropLast()))
        }
        guard !metrics.isEmpty else { throw .emptyMetric }
        if kind == .counter, !metrics.contains(SeriesName.hits) { metrics.append(SeriesName.hits) }
        return metrics
    }

    private static func tags(_ text: Substring.UTF8View) throws(LineError) -> [[String]] {
        var paths: [[String]] = []
        for tag in text.split(separator: UInt8(ascii: ",")) {
            guard paths.count < Limits.tags else { throw .tooManyTags }
            let colon = tag.firstIndex(of: UInt8(ascii: ":")) ?? tag.endIndex
            guard colon > tag.startIndex else { throw .emptyTag }
            var path = [try part(tag[..<colon])]
            if colon < tag.endIndex {
                for piece in pathPieces(tag[tag.index(after: colon)...]) {
                    guard path.count < Limits.pathDepth else { throw .tooDeep }
                    path.append(try part(piece))
                }
            }
            guard !path.contains(where: isReserved), !Reserved.isCrossed(path[0]) else {
                throw .reservedName
            }
            paths.append(path)
        }
        return paths
    }

    /// Splits at every `>` that has something on both sides; any other is itself.
    private static func pathPieces(_ value: Substring.UTF8View) -> [Substring.UTF8View] {
        var pieces: [Substring.UTF8View] = []
        var start = value.startIndex
        var index = start
        while index < value.endIndex {
            let next = value.index(after: index)
            if value[index] == UInt8(ascii: ">"), index > start, next < value.endIndex,
                value[next] != UInt8(ascii: ">")
            {
                pieces.append(value[start..<index])
                start = next
            }
            index = next
        }
        if start < value.endIndex { pieces.append(value[start...]) }
        return pieces
    }

    private static func part(_ raw: Substring.UTF8View) throws(LineError) -> String {
        let text = PercentText.decode(raw)
        guard text.utf8.count <= Limits.partBytes else { throw .partTooLong }
        return text
    }
}
