/// Reads the files of the time zone database: TZif, versions 1 to 4 (RFC 9636).
package enum ZoneFile {
    /// The largest file that is read; those of the database have at most 4 KB.
    package static let limitBytes = 1 << 18

    /// The counts that a header gives.
    private struct Header {
        let version: UInt8
        let utMarks: Int
        let standardMarks: Int
        let leapSeconds: Int
        let transitions: Int
        let types: Int
        let characters: Int

        /// Bytes of what follows it.
        func bodyBytes(timeBytes: Int) -> Int {
            transitions * (timeBytes + 1) + types * 6 + characters + leapSeconds * (timeBytes + 4) + standardMarks
                + utMarks
        }
    }

    private static let magic = Array("TZif".utf8)

    /// The rules in a file's bytes.
    ///
    /// - Returns: nil for what is no such file, is cut short, counts leap seconds, or has offsets or a rule for the
    ///   future that make no sense.
    package static func rules(name: String, in bytes: [UInt8]) -> ZoneRules? {
        guard bytes.count <= limitBytes else { return nil }
        var input = ByteReader(bytes[...])
        guard let first = header(&input) else { return nil }
        guard first.version >= 2 else {
            return body(first, timeBytes: 4, &input).map { rules(name: name, $0, footer: nil) }
        }
        // Behind the first body, which old readers take, comes the one with all times.
        guard input.bytes(first.bodyBytes(timeBytes: 4)) != nil, let second = header(&input),
            second.version == first.version, let body = body(second, timeBytes: 8, &input)
        else { return nil }
        guard let text = footerText(&input) else { return nil }
        guard !text.isEmpty else { return rules(name: name, body, footer: nil) }
        guard let footer = ZoneFooter(parsing: text) else { return nil }
        return rules(name: name, body, footer: footer)
    }

    private static func header(_ input: inout ByteReader) -> Header? {
        guard input.bytes(4) == magic, let version = input.uint8(), input.bytes(15) != nil else { return nil }
        var counts: [Int] = []
        for _ in 0..<6 {
            guard let count = input.uint32(), count <= UInt32(limitBytes) else { return nil }
            counts.append(Int(count))
        }
        let digits = UInt8(ascii: "2")...UInt8(ascii: "4")
        guard version == 0 || digits.contains(version) else { return nil }
        return Header(
            version: version == 0 ? 1 : version - UInt8(ascii: "0"), utMarks: counts[0], standardMarks: counts[1],
            leapSeconds: counts[2], transitions: counts[3], types: counts[4], characters: counts[5])
    }

    private typealias Body = (firstOffset: Int64, transitions: [ZoneRules.Transition])

    private static func body(_ header: Header, timeBytes: Int, _ input: inout ByteReader) -> Body? {
        // A clock that counts leap seconds is not the one that events are dated by.
        guard header.leapSeconds == 0, (1...256).contains(header.types), header.characters > 0,
            input.remaining >= header.bodyBytes(timeBytes: timeBytes)
        else { return nil }
        var times: [Int64] = []
        for _ in 0..<header.transitions {
            let time = timeBytes == 4 ? input.uint32().map { Int64(Int32(bitPattern: $0)) } : input.int64()
            guard let time, times.last.map({ $0 < time }) ?? true else { return nil }
            times.append(time)
        }
        guard let kinds = input.bytes(header.transitions) else { return nil }
        var offsets: [Int64] = []
        for _ in 0..<header.types {
            guard let bits = input.uint32(), input.uint16() != nil else { return nil }
            let offset = Int64(Int32(bitPattern: bits))
            guard abs(offset) <= ZoneRules.farthestSeconds else { return nil }
            offsets.append(offset)
        }
        guard input.bytes(header.characters + header.standardMarks + header.utMarks) != nil else { return nil }
        var transitions: [ZoneRules.Transition] = []
        for (time, kind) in zip(times, kinds) {
            guard Int(kind) < offsets.count else { return nil }
            // Files of the database may begin with the Big Bang; nothing is counted there.
            let bounded = max(time, -1 << 40)
            guard bounded <= 1 << 40 else { return nil }
            transitions.append(ZoneRules.Transition(atSeconds: bounded, offsetSeconds: offsets[Int(kind)]))
        }
        return (offsets[0], transitions)
    }

    /// The text between the two line ends behind the second body.
    private static func footerText(_ input: inout ByteReader) -> [UInt8]? {
        let newline = UInt8(ascii: "\n")
        guard input.remaining <= 512, let rest = input.bytes(input.remaining), rest.first == newline,
            let end = rest.dropFirst().firstIndex(of: newline)
        else { return nil }
        return Array(rest[1..<end])
    }

    private static func rules(name: String, _ body: Body, footer: ZoneFooter?) -> ZoneRules {
        guard let footer else {
            return ZoneRules(name: name, offsetSeconds: body.firstOffset, transitions: body.transitions)
        }
        let last = body.transitions.last?.atSeconds
        let later = footer.transitions(after: last)
        return ZoneRules(
            name: name, offsetSeconds: body.transitions.isEmpty ? footer.standardSeconds : body.firstOffset,
            transitions: body.transitions + later, cycleSeconds: footer.changes ? ZoneFooter.cycleSeconds : nil)
    }
}

extension ByteReader {
    fileprivate mutating func int64() -> Int64? { uint64().map { Int64(bitPattern: $0) } }
}
