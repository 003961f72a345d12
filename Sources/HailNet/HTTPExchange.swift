internal import Synchronization

/// A request that a handler has, on its way to an answer.
///
/// The handler's thread and the connection's race for it: whoever comes second acts. An answer that finds the
/// connection suspended resumes it; a suspension that finds the answer there takes itself back.
///
/// `@unchecked Sendable`: `response` is written once, by whoever won `isClaimed`, before `state` becomes `answered`,
/// and read only after that was seen; `connection` is used by whoever came second, once.
final class HTTPExchange: @unchecked Sendable {
    private static let pending = 0
    private static let suspended = 1
    private static let answered = 2

    private let isClaimed = Atomic<Bool>(false)
    private let state = Atomic<Int>(HTTPExchange.pending)
    private var response: HTTPResponse?
    /// Not to be touched after it was resumed, nor after its daemon has stopped.
    private let connection: OpaquePointer
    private let traffic: HTTPTraffic

    init(_ connection: OpaquePointer, _ traffic: HTTPTraffic) {
        self.connection = connection
        self.traffic = traffic
    }

    /// Gives the answer, from any thread; false where there is one already.
    @discardableResult
    func answer(_ response: HTTPResponse) -> Bool {
        guard !isClaimed.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        self.response = response
        let before = state.exchange(HTTPExchange.answered, ordering: .acquiringAndReleasing)
        if before == HTTPExchange.suspended { traffic.resume(connection, self) }
        return true
    }

    /// Notes that the connection is suspended; false where the answer is there already, and nobody else resumes it.
    func noteSuspended() -> Bool {
        state.compareExchange(
            expected: HTTPExchange.pending, desired: HTTPExchange.suspended, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// The answer, once it is there.
    var answer: HTTPResponse? {
        state.load(ordering: .acquiring) == HTTPExchange.answered ? response : nil
    }
}
