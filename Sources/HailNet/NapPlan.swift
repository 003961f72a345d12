/// How long the receive loop sleeps between two looks at its socket, and when it gives the queue back.
///
/// Sleeping lets datagrams gather, so that one call brings many; it may not outlast the receive buffer. At low rates a
/// nap costs more than waiting for the kernel to announce the next datagram, so the loop then leaves.
package struct NapPlan: Equatable, Sendable {
    /// What the loop does after a look at the socket that left it empty.
    package enum Step: Equatable, Sendable {
        case nap(microseconds: UInt32)
        case lookAgain
        case leave
    }

    /// How many datagrams a nap must be expected to gather; a nap costs about three wake-ups.
    package static let worthwhile: UInt64 = 4
    /// How long the loop may hold its queue.
    package static let holdNanoseconds: UInt64 = 50_000_000
    /// What the kernel charges a short datagram against the receive buffer.
    package static let chargedBytes = 768

    /// Datagrams the receive buffer takes.
    package let capacity: Int
    /// The nap for which half the buffer lasts at a million datagrams a second, within 300…1,000 µs.
    package let napMicroseconds: UInt32

    private var lastLookNanoseconds: UInt64 = 0

    package init(_ buffer: ReceiveBuffer) {
        capacity = buffer.bytes / NapPlan.chargedBytes
        napMicroseconds = UInt32(min(max(capacity / 2, 300), 1_000))
    }

    /// What follows a look that brought `received` datagrams and left the socket empty.
    ///
    /// The rate is reckoned over the time since the last look, which may have been in an earlier wake-up.
    package mutating func step(received: Int, nowNanoseconds: UInt64, wokenNanoseconds: UInt64) -> Step {
        let since = nowNanoseconds &- lastLookNanoseconds
        lastLookNanoseconds = nowNanoseconds
        guard nowNanoseconds &- wokenNanoseconds < NapPlan.holdNanoseconds else { return .leave }
        // More than a quarter of the buffer since the last look: the next nap could overrun it.
        if received > capacity / 4 { return .lookAgain }
        let napNanoseconds = UInt64(napMicroseconds) * 1_000
        let (needed, overflow) = since.multipliedReportingOverflow(by: NapPlan.worthwhile)
        let isWorthwhile = !overflow && UInt64(received) * napNanoseconds >= needed
        return isWorthwhile ? .nap(microseconds: napMicroseconds) : .leave
    }
}
