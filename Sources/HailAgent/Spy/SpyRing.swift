import HailCore
import HailWire

/// The newest texts one lane took in, as they came: what the spy log is read from.
///
/// Taking in costs one copy a datagram; lines are told apart when somebody looks. Confined to its lane's queue.
final class SpyRing {
    private struct Slot {
        var number: UInt64 = 0
        var millis: Int64 = 0
        var text: [UInt8] = []
    }

    /// Texts kept; each has at least one line.
    private static let slotCount = 1_000
    /// Bytes kept of a text, cut at a line's end.
    private static let textBytes = 1_432

    private var slots: [Slot] = []
    private var next = 0

    /// Notes a text; memory is taken for the first thousand and used again from then on.
    func note(_ text: UnsafeBufferPointer<UInt8>, number: UInt64, millis: Int64) {
        var kept = text[...]
        if text.count > SpyRing.textBytes {
            let head = text[..<SpyRing.textBytes]
            guard let newline = head.lastIndex(of: UInt8(ascii: "\n")) else { return }
            kept = text[..<newline]
        }
        if slots.count < SpyRing.slotCount {
            slots.append(Slot(number: number, millis: millis, text: Array(kept)))
            return
        }
        slots[next].number = number
        slots[next].millis = millis
        slots[next].text.removeAll(keepingCapacity: true)
        slots[next].text.append(contentsOf: kept)
        next = (next + 1) % SpyRing.slotCount
    }

    /// The lines that were taken in after the text of a number, in no order.
    func lines(after number: UInt64, scanner: LineScanner, buffer: LineBuffer) -> [SpyLine] {
        var lines: [SpyLine] = []
        for slot in slots where slot.number > number {
            slot.text.withUnsafeBufferPointer { text in
                scanner.scan(text, into: buffer)
                let pieces = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                for place in 0..<buffer.lineCount where buffer.lines[place].error == nil {
                    let line = buffer.lines[place]
                    let name = try? SeriesNameParser.parse(buffer.identity(of: line))
                    guard name != nil || line.isMessage else { continue }
                    var bytes = Array(pieces[Int(line.number) - 1])
                    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
                    lines.append(
                        SpyLine(
                            number: slot.number, place: place, millis: slot.millis, subject: name?.subject ?? [],
                            text: String(decoding: bytes, as: UTF8.self)))
                }
            }
        }
        return lines
    }
}
