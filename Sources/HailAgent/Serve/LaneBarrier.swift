import Synchronization

/// Calls back once as many lanes as it was made for have arrived.
final class LaneBarrier: Sendable {
    private let missing: Atomic<Int>
    private let done: @Sendable () -> Void

    init(count: Int, done: @escaping @Sendable () -> Void) {
        missing = Atomic(count)
        self.done = done
    }

    /// One more lane is there; callable from any queue.
    func arrive() {
        if missing.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { done() }
    }
}
