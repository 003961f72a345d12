/// How long the receive loop sleeps between two looks at its socket, and when it gives the queue back.
///
/// Sleeping lets datagrams gather, so that one call brings many; it may not outlast the receive buffer.
package struct NapPlan: Equatable, Sendable {
    /// What the loop does after a look at the socket that left it empty.
    package enum Step: Equatable, Sendable {
        case nap(microseconds: UInt32)
        case lookAgain
        case leave
    }

    /// Looks without a datagram after which the queue is given back.
    package static let emptyLooks = 3
    /// How long the loop may hold its queue.
    package static let holdNanoseconds: UInt64 = 50_000_000
    /// What the kernel charges a short datagram against the receive buffer.
    package static let chargedBytes = 768

    /// Datagrams the receive buffer takes.
    package let capacity: Int
    /// The nap for which half the buffer lasts at a million datagrams a second, within 300…1,000 µs.
    package let napMicroseconds: UInt32

    private var emptySoFar = 0

    package init(_ buffer: ReceiveBuffer) {
        capacity = buffer.bytes / NapPlan.chargedBytes
        napMicroseconds = UInt32(min(max(capacity / 2, 300), 1_000))
    }

    /// A new wake-up: nothing has been empty yet.
    package mutating func begin() { emptySoFar = 0 }

    /// What follows a look that brought `received` datagrams and left the socket empty, `heldNanoseconds` after
    /// the wake-up.
    package mutating func step(received: Int, heldNanoseconds: UInt64) -> Step {
        emptySoFar = received == 0 ? emptySoFar + 1 : 0
        if emptySoFar >= NapPlan.emptyLooks || heldNanoseconds >= NapPlan.holdNanoseconds { return .leave }
        // More than a quarter of the buffer since the last look: the next nap could overrun it.
        return received > capacity / 4 ? .lookAgain : .nap(microseconds: napMicroseconds)
    }
}
