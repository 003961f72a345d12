/// One scanned line: where its identity and values lie, or why it was refused.
///
/// The identity lies in two pieces, `head` up to the first `:` and `tail` behind it, in the text that was scanned or
/// in the buffer: both must outlive the line.
package struct ScannedLine {
    package var hash: UInt64 = 0
    package var head: UnsafePointer<UInt8>
    package var tail: UnsafePointer<UInt8>
    package var headLength: UInt32 = 0
    package var tailLength: UInt32 = 0
    /// Unix seconds of the line's `T`; `noTime` without one.
    package var timeSeconds: Int64 = ScannedLine.noTime
    /// Values in the buffer: one a counter's or timer's value; two a gauge's, its bits and whether it moves the gauge
    /// (1); two for a set's member, where it lies among the buffer's members and its length.
    package var valuesStart: UInt32 = 0
    package var valueCount: UInt32 = 0
    /// What one kept value of a timer stands for, in millionths: 1 ÷ rate.
    package var weightMicros: Int64 = 1_000_000
    /// The line's number in its text, from 1.
    package var number: UInt32 = 0
    /// Values one event carries: value i belongs to slot i modulo this.
    package var slotCount: UInt16 = 1
    package var kind = Kind.counter
    package var error: LineError?

    /// Whether the line is a DogStatsD event, which is taken in and counts nowhere.
    package var isMessage: Bool { headLength == 0 }

    package var identityLength: Int { Int(headLength) + Int(tailLength) }

    package static let noTime = Int64.min

    /// A line whose identity is empty so far, and lies where `place` points.
    package init(at place: UnsafePointer<UInt8>) {
        head = place
        tail = place
    }
}
