internal import CBytes
import HailCore

/// Reads the lines that nearly all are: `NAME:NUMBER|TYPE` and `NAME:NUMBER|TYPE|#TAGS` of a counter or timer.
///
/// Their identities stay where they are. It refuses nothing: what it does not know is for `LineScanner` to read, and what
/// it reads means the same there.
///
/// Bounds: `colons` and `ends` have a bit for each of the places 0…count, and the bit of `count` is set, so `next` ends
/// at `count` at the latest and no place beyond is ever asked for; `text` is read at places below `count` only.
struct QuickLine {
    let text: UnsafePointer<UInt8>
    let count: Int
    let colons: UnsafePointer<UInt64>
    let ends: UnsafePointer<UInt64>
    let seed: bytes_seed
    /// What a line without a time has.
    let noTime = ScannedLine.noTime

    /// Reads the line that begins at `start`, a place in the text, unless it is of another form.
    ///
    /// - Returns: where the next line begins, or nil where nothing was written that counts.
    @inline(__always)
    func read(
        at start: Int, into line: UnsafeMutablePointer<ScannedLine>, value: UnsafeMutablePointer<Int64>
    ) -> Int? {
        let colon = QuickLine.next(colons, start)
        // The first `|`, newline or end of the text; it may not come before the first `:`.
        let bar = QuickLine.next(ends, start)
        guard colon < bar, colon > start, text[start] != UInt8(ascii: "_"), bar &+ 1 < count,
            text[bar] == UInt8(ascii: "|"), let micros = number(from: colon &+ 1, to: bar)
        else { return nil }
        var typeEnd = bar &+ 2
        var kind = Kind.counter
        let type = text[bar &+ 1]
        if type != UInt8(ascii: "c") {
            kind = .timer
            if type == UInt8(ascii: "m") {
                guard typeEnd < count, text[typeEnd] == UInt8(ascii: "s") else { return nil }
                typeEnd &+= 1
            } else if type != UInt8(ascii: "h"), type != UInt8(ascii: "d") {
                return nil
            }
        }
        var lineEnd = typeEnd
        var end = typeEnd
        if typeEnd < count, text[typeEnd] != UInt8(ascii: "\n") {
            guard text[typeEnd] == UInt8(ascii: "|"), typeEnd &+ 1 < count, text[typeEnd &+ 1] == UInt8(ascii: "#")
            else { return nil }
            lineEnd = QuickLine.next(ends, typeEnd &+ 2)
            guard lineEnd == count || text[lineEnd] == UInt8(ascii: "\n") else { return nil }
            end = text[lineEnd &- 1] == UInt8(ascii: "\r") ? lineEnd &- 1 : lineEnd
            // Empty tags are none, and no part of the identity.
            guard end > typeEnd &+ 2 else { return nil }
        }
        value.pointee = micros
        // Field by field: the compiler would make the whole line elsewhere and copy it here.
        line.pointee.hash = bytes_hash(text + start, colon &+ 1 &- start, text + bar, end &- bar, seed)
        line.pointee.head = text + start
        line.pointee.tail = text + bar
        line.pointee.headLength = UInt32(truncatingIfNeeded: colon &+ 1 &- start)
        line.pointee.tailLength = UInt32(truncatingIfNeeded: end &- bar)
        line.pointee.timeSeconds = noTime
        line.pointee.valueCount = 1
        line.pointee.weightMicros = 1_000_000
        line.pointee.slotCount = 1
        line.pointee.kind = kind
        line.pointee.error = nil
        return lineEnd &+ 1
    }

    /// Millionths of a short number, or nil where it is none.
    @inline(__always)
    private func number(from start: Int, to end: Int) -> Int64? {
        var whole: Int64 = 0
        var place = start
        while place < end {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            whole = whole &* 10 &+ Int64(digit)
            place &+= 1
        }
        // So many digits did not overflow, and stay in range as millionths.
        if place == end, end > start, end &- start <= 12 { return whole &* 1_000_000 }
        return DecimalText.quickMicros(UnsafeBufferPointer(start: text + start, count: end &- start))
    }

    /// The first marked place from `from` on.
    @inline(__always)
    private static func next(_ marks: UnsafePointer<UInt64>, _ from: Int) -> Int {
        var word = from >> 6
        var bits = marks[word] & (~0 &<< UInt64(truncatingIfNeeded: from & 63))
        while bits == 0 {
            word &+= 1
            bits = marks[word]
        }
        return word << 6 | bits.trailingZeroBitCount
    }
}
