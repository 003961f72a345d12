internal import Dispatch
internal import Glibc

/// How long a call may wait: to a point in time, or until whoever asked gives up.
final class Patience: Sendable {
    private let deadline: DispatchTime
    private let isGivenUp = Lock(false)

    /// How soon a wait notices that nobody wants its outcome any more.
    private static let sliceMilliseconds: UInt64 = 50

    init(seconds: Double) { deadline = .now() + seconds }

    func giveUp() { isGivenUp.holding { $0 = true } }

    /// - Throws: `cancelled`, `timedOut`.
    func check() throws(HailError) {
        if isGivenUp.holding({ $0 }) { throw .cancelled }
        if DispatchTime.now() >= deadline { throw .timedOut }
    }

    /// Waits until a socket can be written to or read from, or has failed.
    ///
    /// - Throws: `cancelled`, `timedOut`.
    func wait(for events: Int32, on number: Int32) throws(HailError) {
        var poll = pollfd(fd: number, events: Int16(events), revents: 0)
        repeat {
            try check()
            let now = DispatchTime.now()
            let left = now < deadline ? (deadline.uptimeNanoseconds - now.uptimeNanoseconds) / 1_000_000 + 1 : 0
            // Where poll itself fails, what follows says why.
            if Glibc.poll(&poll, 1, Int32(min(left, Patience.sliceMilliseconds))) < 0, errno != EINTR { return }
        } while poll.revents == 0
    }
}
