/// A running count of drops, from a counter of the kernel that wraps at 2³².
package struct KernelDropCount: Equatable, Sendable {
    package private(set) var total: UInt64 = 0
    private var last: UInt32

    /// - Parameter start: what the counter says already and is no drop of this count's.
    package init(from start: UInt32 = 0) { last = start }

    /// Takes in a value; one that is older than the newest (less than half the counter's range behind) adds nothing.
    package mutating func take(_ value: UInt32) {
        let ahead = Int32(bitPattern: value &- last)
        guard ahead > 0 else { return }
        total += UInt64(ahead)
        last = value
    }
}
