/// What the series of one lane gathered in one window.
///
/// Moves whole from the lane's queue to the flush queue and comes back emptied; one queue holds it at a time.
package final class WindowSums: @unchecked Sendable {
    /// A series' value at a time that the line gave with `T`.
    package struct TimedSlot: Hashable {
        /// First second of the finest bucket.
        package let startSeconds: Int64
        package let series: UInt32
        package let slot: UInt32
    }

    /// A value that does not simply add up: a timer's, a gauge's, or a set's member.
    package struct Sample: Equatable, Sendable {
        package var series: UInt32
        package var slot: UInt16
        /// Whether a gauge's value moves it.
        package var isMove: Bool
        /// A timer's value in millionths, a gauge's bits, a member's hash.
        package var value: Int64
        /// What one value of a timer stands for in millionths; a gauge's milliseconds since the Unix epoch.
        package var extra: Int64
        /// First second of the finest bucket, where the line had a `T`; else `ScannedLine.noTime`.
        package var startSeconds: Int64
    }

    /// Millionths, in the order in which series were first added to: as many for each as it has slots.
    package private(set) var sums: UnsafeMutablePointer<Int128>
    private var sumCount = 0
    private var capacity: Int
    /// The series that were added to, each once, in the order of their sums.
    package private(set) var touched: [UInt32] = []
    package var timed: [TimedSlot: Int128] = [:]
    /// In the order they came.
    package var samples: [Sample] = []
    package var eventCount: UInt64 = 0

    package init(capacity: Int = 64) {
        self.capacity = capacity
        sums = .allocate(capacity: capacity)
    }

    deinit { sums.deallocate() }

    package var isEmpty: Bool { eventCount == 0 }

    /// Makes sums for a series that has none yet, all zero.
    ///
    /// - Returns: the place of the first; `sums` may have moved.
    func touch(_ series: UInt32, slotCount: Int) -> UInt32 {
        if sumCount + slotCount > capacity {
            capacity = 2 * capacity + slotCount
            let larger = UnsafeMutablePointer<Int128>.allocate(capacity: capacity)
            larger.moveInitialize(from: sums, count: sumCount)
            sums.deallocate()
            sums = larger
        }
        (sums + sumCount).initialize(repeating: 0, count: slotCount)
        defer { sumCount += slotCount }
        touched.append(series)
        return UInt32(sumCount)
    }

    /// Forgets everything but the memory.
    package func removeAll() {
        sumCount = 0
        touched.removeAll(keepingCapacity: true)
        timed.removeAll(keepingCapacity: timed.count < 1_024)
        samples.removeAll(keepingCapacity: samples.count < 65_536)
        eventCount = 0
    }
}
