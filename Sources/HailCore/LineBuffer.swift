/// The lines of one text, scanned: filled by the scanner and emptied into a series table, over and over.
///
/// The memory is taken once and never grows: a text is at most `Limits.datagramBytes` long. Confined to the queue
/// of the lane that owns it.
package final class LineBuffer {
    /// Identity bytes, one after the other; eight more than any text needs, so that a hash may read past an end.
    package let identities: UnsafeMutablePointer<UInt8>
    /// Values, in millionths where they are counters' or timers'; see `ScannedLine`.
    package let values: UnsafeMutablePointer<Int64>
    package let lines: UnsafeMutablePointer<ScannedLine>
    /// Members of sets, one after the other.
    package let members: UnsafeMutablePointer<UInt8>
    package var memberCount = 0
    package var identityCount = 0
    package var valueCount = 0
    package var lineCount = 0
    /// Whether a line brings a set's member, which has to be hashed before it is added.
    package var hasMembers = false

    /// The most bytes of text one scan may take.
    package static let textBytes = Limits.datagramBytes
    /// A line's identity adds at most the bytes of `:` and `|` to what the line had.
    private static let identityBytes = 2 * textBytes + 64
    /// The shortest value is one digit and a separator, and a gauge's or a member takes two slots; an event of the
    /// type `c` adds one for `hits`.
    private static let valueSlots = textBytes + 64
    private static let lineSlots = textBytes / 2 + 2

    package init() {
        identities = .allocate(capacity: LineBuffer.identityBytes)
        values = .allocate(capacity: LineBuffer.valueSlots)
        lines = .allocate(capacity: LineBuffer.lineSlots)
        members = .allocate(capacity: LineBuffer.textBytes)
    }

    deinit {
        identities.deallocate()
        values.deallocate()
        lines.deallocate()
        members.deallocate()
    }

    package func removeAll() {
        identityCount = 0
        valueCount = 0
        lineCount = 0
        hasMembers = false
        memberCount = 0
    }

    /// Copies a member in; all members of a text are no longer than the text.
    package func appendMember(_ text: UnsafeBufferPointer<UInt8>) {
        guard let base = text.baseAddress else { return }
        (members + memberCount).update(from: base, count: text.count)
        memberCount += text.count
    }

    /// The identity of a line, as a copy.
    package func identity(of line: ScannedLine) -> [UInt8] {
        Array(UnsafeBufferPointer(start: identities + Int(line.identityStart), count: Int(line.identityLength)))
    }
}
