import HailCore
import HailWire

/// The newest texts one lane took in, as they came: what the spy log is read from.
///
/// Taking in costs one copy a datagram, into memory that is small enough to stay in a cache; lines are told apart when
/// somebody looks. Confined to its lane's queue.
final class SpyRing {
    private struct Slot {
        var number: UInt64 = 0
        var millis: Int64 = 0
        /// Where the text begins, counted from the first byte ever noted; it lies at this place modulo `ringBytes`.
        var start = 0
        var byteCount = 0
    }

    /// Texts kept; each has at least one line.
    private static let slotCount = 1_024
    /// Bytes kept of all texts together.
    private static let ringBytes = 131_072
    /// Bytes kept of a text, cut at a line's end.
    private static let textBytes = 1_432

    private let bytes: UnsafeMutablePointer<UInt8>
    private let slots: UnsafeMutablePointer<Slot>
    private var noted = 0
    private var end = 0

    init() {
        bytes = .allocate(capacity: SpyRing.ringBytes)
        slots = .allocate(capacity: SpyRing.slotCount)
        slots.initialize(repeating: Slot(), count: SpyRing.slotCount)
    }

    deinit {
        bytes.deallocate()
        slots.deallocate()
    }

    /// Notes a text.
    func note(_ text: UnsafeBufferPointer<UInt8>, number: UInt64, millis: Int64) {
        guard let base = text.baseAddress else { return }
        var count = text.count
        if count > SpyRing.textBytes {
            count = SpyRing.textBytes
            while count > 0, base[count - 1] != UInt8(ascii: "\n") { count -= 1 }
        }
        guard count > 0 else { return }
        // A text lies in one piece: what is left of the ring is skipped where it is too short.
        let left = SpyRing.ringBytes - end % SpyRing.ringBytes
        if count > left { end += left }
        (bytes + end % SpyRing.ringBytes).update(from: base, count: count)
        slots[noted % SpyRing.slotCount] = Slot(number: number, millis: millis, start: end, byteCount: count)
        noted += 1
        end += count
    }

    /// The lines that were taken in after the text of a number, in no order.
    func lines(after number: UInt64, scanner: LineScanner, buffer: LineBuffer) -> [SpyLine] {
        var lines: [SpyLine] = []
        for place in 0..<min(noted, SpyRing.slotCount) {
            let slot = slots[place]
            // A text whose first byte is a ring behind was written over.
            guard slot.number > number, end - slot.start <= SpyRing.ringBytes else { continue }
            let text = UnsafeBufferPointer(start: bytes + slot.start % SpyRing.ringBytes, count: slot.byteCount)
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
        buffer.removeAll()
        return lines
    }
}
