/// What one number is about, in words: a metric of a kind, at a group of a subject.
///
/// `subject` and `group` are the parts of paths; an empty one is the overall `_`.
package struct CellName: Sendable {
    package var subject: [String]
    package var group: [String]
    package var metric: String
    package var kind: Kind

    package init(subject: [String], group: [String], metric: String, kind: Kind) {
        self.subject = subject
        self.group = group
        self.metric = metric
        self.kind = kind
    }

    /// The bytes whose digest names the cell in the store: subject parts joined by 0x00, 0x01, group parts joined by
    /// 0x00, 0x01, the kind's letter, the metric.
    ///
    /// No part may hold a control byte, so no two names have the same bytes.
    package var canonicalBytes: [UInt8] {
        var bytes = CellName.joined(subject)
        bytes.append(1)
        bytes += CellName.joined(group)
        bytes.append(1)
        bytes.append(kind.letter)
        bytes += metric.utf8
        return bytes
    }

    /// The bytes whose digest names a subject: `s`, then its parts joined by 0x00.
    package static func subjectBytes(_ subject: [String]) -> [UInt8] {
        [UInt8(ascii: "s")] + joined(subject)
    }

    /// The parts of a path joined by 0x00.
    package static func joined(_ parts: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if index > 0 { bytes.append(0) }
            bytes += part.utf8
        }
        return bytes
    }
}
