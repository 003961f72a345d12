import HailNet
import Synchronization

/// How many reads of the store are under way, and how much they will read: both bounded, so that callers who ask faster
/// than the store answers fill no memory.
final class ReadsUnderWay: Sendable {
    static let mostReads = 128
    /// Keys of all reads together; one read alone may have as many as its own bound allows.
    static let mostKeys = 40_000

    private let reads = Atomic<Int>(0)
    private let keys = Atomic<Int>(0)

    /// Enters a read of so many keys; false where it would be one too many.
    func enter(keys count: Int) -> Bool {
        let isFirst = reads.add(1, ordering: .relaxed).oldValue == 0
        let (_, sum) = keys.add(count, ordering: .relaxed)
        guard isFirst || (sum <= ReadsUnderWay.mostKeys && reads.load(ordering: .relaxed) <= ReadsUnderWay.mostReads)
        else {
            leave(keys: count)
            return false
        }
        return true
    }

    func leave(keys count: Int) {
        keys.subtract(count, ordering: .relaxed)
        reads.subtract(1, ordering: .relaxed)
    }

    static let busy = APIError(
        status: 503, code: "busy", message: "too many reads at once; try again, or ask for less")
}
