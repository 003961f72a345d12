/// The lines of a text, or of several short ones, scanned: filled by the scanner and emptied into a series table, over
/// and over.
///
/// The memory is taken once and never grows: texts are at most `Limits.datagramBytes` long, all together and with a
/// newline between any two. Confined to the queue of the lane that owns it.
package final class LineBuffer {
    /// What a line is cut at in the text being scanned, a bit a byte; see `bytes_mark`.
    package let colons: UnsafeMutablePointer<UInt64>
    package let ends: UnsafeMutablePointer<UInt64>
    /// Bytes of identities that do not lie in the text as they are, one after the other.
    package let identities: UnsafeMutablePointer<UInt8>
    /// Values, in millionths where they are counters' or timers'; see `ScannedLine`.
    package let values: UnsafeMutablePointer<Int64>
    package let lines: UnsafeMutablePointer<ScannedLine>
    /// Members of sets, one after the other.
    package let members: UnsafeMutablePointer<UInt8>
    /// How much of all this is used.
    ///
    /// In memory of its own: a class's variables are checked for exclusive access each time, by every module but their
    /// own.
    package let used: UnsafeMutablePointer<Used>

    package struct Used {
        package var members = 0
        package var identities = 0
        package var values = 0
        package var lines = 0
        /// Lines among them that were refused.
        package var refused = 0
        /// Bytes that the texts take, with a newline behind each.
        package var text = 0
        /// Whether a line brings a set's member, which has to be hashed before it is added.
        package var hasMembers = false
    }

    package var memberCount: Int { used.pointee.members }
    package var identityCount: Int { used.pointee.identities }
    package var valueCount: Int { used.pointee.values }
    package var lineCount: Int { used.pointee.lines }
    package var refusedCount: Int { used.pointee.refused }

    /// The most bytes of text one scan may take.
    package static let textBytes = Limits.datagramBytes
    /// A line's identity adds at most the bytes of `:` and `|` to what the line had.
    private static let identityBytes = 2 * textBytes + 64
    /// The shortest value is one digit and a separator, and a gauge's or a member takes two slots; an event of the
    /// type `c` adds one for `hits`.
    private static let valueSlots = textBytes + 64
    private static let lineSlots = textBytes / 2 + 2

    private static let markWords = textBytes / 64 + 1

    package init() {
        used = .allocate(capacity: 1)
        used.initialize(to: Used())
        colons = .allocate(capacity: LineBuffer.markWords)
        ends = .allocate(capacity: LineBuffer.markWords)
        identities = .allocate(capacity: LineBuffer.identityBytes)
        values = .allocate(capacity: LineBuffer.valueSlots)
        lines = .allocate(capacity: LineBuffer.lineSlots)
        members = .allocate(capacity: LineBuffer.textBytes)
    }

    deinit {
        used.deallocate()
        colons.deallocate()
        ends.deallocate()
        identities.deallocate()
        values.deallocate()
        lines.deallocate()
        members.deallocate()
    }

    package func removeAll() { used.pointee = Used() }

    /// Whether there is room for the lines of another text of so many bytes.
    package func hasRoom(for byteCount: Int) -> Bool { used.pointee.text + byteCount <= LineBuffer.textBytes }

    /// Takes the room of a text; there must be some.
    package func reserve(_ byteCount: Int) {
        precondition(hasRoom(for: byteCount), "a text must be cut at lines before it is scanned")
        used.pointee.text += byteCount + 1
    }

    /// Copies a member in; all members of a text are no longer than the text.
    package func appendMember(_ text: UnsafeBufferPointer<UInt8>) {
        guard let base = text.baseAddress else { return }
        (members + memberCount).update(from: base, count: text.count)
        used.pointee.members += text.count
    }

    /// Replaces the members of sets by their hashes, which all agents must share.
    package func hashMembers(_ digester: Digester) {
        for place in 0..<lineCount where lines[place].kind == .set && lines[place].error == nil {
            let start = Int(lines[place].valuesStart)
            let member = UnsafeBufferPointer(start: members + Int(values[start]), count: Int(values[start + 1]))
            values[start] = Int64(bitPattern: digester(Array(member)).high)
        }
    }

    /// The identity of a line, as a copy; the text must still be there.
    package func identity(of line: ScannedLine) -> [UInt8] {
        Array(UnsafeBufferPointer(start: line.head, count: Int(line.headLength)))
            + UnsafeBufferPointer(start: line.tail, count: Int(line.tailLength))
    }
}
