/// Writes one line so that it is read back as what was written, whatever letters its names have.
///
/// The parts come in the order of a line: a name, values, a type, then sections. A control character has no way into a
/// line: whoever writes one finds `hasControlByte` true and must not send.
package struct LineWriter {
    package private(set) var bytes: [UInt8] = []
    private var hasTag = false

    /// Begins a line with a name; empty parts are left out, as readers drop them.
    package init(name: [String]) {
        bytes.reserveCapacity(64)
        for part in name where !part.isEmpty {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: ".")) }
            bytes += PercentText.encode(part)
        }
    }

    /// Whether the name had no part that is not empty; only before the first value.
    package var isNameless: Bool { bytes.isEmpty }

    package var hasControlByte: Bool { bytes.contains { $0 < 0x20 || $0 == 0x7F } }

    /// Adds a value of the StatsD form.
    package mutating func addValue(_ text: String) {
        bytes.append(UInt8(ascii: ":"))
        bytes += text.utf8
    }

    /// Adds a named value of the event form.
    package mutating func addMetric(_ name: String, _ text: String) {
        bytes.append(UInt8(ascii: ":"))
        bytes += PercentText.encode(name)
        bytes.append(UInt8(ascii: "="))
        bytes += text.utf8
    }

    /// Adds the member of a set.
    ///
    /// A member ends at the first `|`, so that one is written `%7C`, and a `%` which could then be taken for a written
    /// one is `%25`; all else is itself, so that most members are the same bytes as from other clients.
    package mutating func addMember(_ member: String) {
        bytes.append(UInt8(ascii: ":"))
        let text = Array(member.utf8)
        for (index, byte) in text.enumerated() {
            if byte == UInt8(ascii: "|") {
                bytes += "%7C".utf8
            } else if byte == UInt8(ascii: "%"), LineWriter.written.contains(Array(text[(index + 1)...].prefix(2))) {
                bytes += "%25".utf8
            } else {
                bytes.append(byte)
            }
        }
    }

    private static let written = ["7C", "7c", "25"].map { Array($0.utf8) }

    /// Ends the values with their type, such as `c` or `ms`.
    package mutating func addType(_ type: String) {
        bytes.append(UInt8(ascii: "|"))
        bytes += type.utf8
    }

    /// Adds the section `@rate`.
    package mutating func addRate(_ text: String) {
        bytes += "|@".utf8
        bytes += text.utf8
    }

    /// Adds the section `T`.
    package mutating func addTime(unixSeconds: Int64) {
        bytes += "|T".utf8
        bytes += String(unixSeconds).utf8
    }

    /// Adds a tag; all tags of a line are added one after the other.
    package mutating func addTag(_ dimension: String, _ path: [String]) {
        bytes += (hasTag ? "," : "|#").utf8
        hasTag = true
        bytes += PercentText.encode(dimension)
        for (depth, part) in path.enumerated() {
            bytes.append(UInt8(ascii: depth == 0 ? ":" : ">"))
            bytes += PercentText.encode(part)
        }
    }
}
