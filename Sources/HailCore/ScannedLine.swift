/// One scanned line: where its identity and values lie in the buffer, or why it was refused.
package struct ScannedLine {
    package var identityStart: UInt32 = 0
    package var identityLength: UInt32 = 0
    package var hash: UInt64 = 0
    /// Values in the buffer: one a counter's or timer's value; two a gauge's, its bits and whether it moves the gauge
    /// (1); two for a set's member, where it lies among the buffer's members and its length.
    package var valuesStart: UInt32 = 0
    package var valueCount: UInt32 = 0
    /// Values one event carries: value i belongs to slot i modulo this.
    package var slotCount: UInt32 = 1
    /// The line's number in its text, from 1.
    package var number: UInt32 = 0
    /// Unix seconds of the line's `T`; `noTime` without one.
    package var timeSeconds: Int64 = ScannedLine.noTime
    package var kind = Kind.counter
    /// What one kept value of a timer stands for, in millionths: 1 ÷ rate.
    package var weightMicros: Int64 = 1_000_000
    package var error: LineError?

    /// Whether the line is a DogStatsD event, which is taken in and counts nowhere.
    package var isMessage: Bool { identityLength == 0 }

    package static let noTime = Int64.min

    package init() {}
}
