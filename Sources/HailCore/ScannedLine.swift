/// One scanned line: where its identity and values lie in the buffer, or why it was refused.
package struct ScannedLine {
    package var identityStart: UInt32 = 0
    package var identityLength: UInt32 = 0
    package var hash: UInt64 = 0
    package var valuesStart: UInt32 = 0
    package var valueCount: UInt32 = 0
    /// Values one event carries: value i belongs to slot i modulo this.
    package var slotCount: UInt32 = 1
    /// The line's number in its text, from 1.
    package var number: UInt32 = 0
    /// Unix seconds of the line's `T`; `noTime` without one.
    package var timeSeconds: Int64 = ScannedLine.noTime
    package var error: LineError?

    package static let noTime = Int64.min

    package init() {}
}
