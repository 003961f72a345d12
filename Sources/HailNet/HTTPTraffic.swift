internal import CMicroHTTPD
internal import Synchronization

/// What the daemons of one server share: the handler, the limits, who is connected and who waits for an answer.
///
/// `@unchecked Sendable`: the two tables are read and written under `lock` only; `handler` is read by the daemons'
/// threads and written when none is left; the rest is constant or atomic.
final class HTTPTraffic: @unchecked Sendable {
    typealias Handler = @Sendable (HTTPRequest, HTTPReply) -> Void

    let limits: HTTPLimits
    private(set) var handler: Handler
    private let noteCut: @Sendable (HTTPCut) -> Void

    private let lock = Lock()
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var suspended: [ObjectIdentifier: HTTPExchange] = [:]
    /// Set under the lock, so that whoever suspends a connection either sees it or is seen by `abandonSuspended`.
    private let isStoppingNow = Atomic<Bool>(false)
    private let isDrainingNow = Atomic<Bool>(false)
    /// Requests that a handler has or whose answer is being sent.
    private let active = Atomic<Int>(0)
    private let heldBytes = Atomic<Int>(0)

    init(limits: HTTPLimits, handler: @escaping Handler, noteCut: @escaping @Sendable (HTTPCut) -> Void) {
        self.limits = limits
        self.noteCut = noteCut
        self.handler = handler
    }

    // Connections.

    func opened(_ connection: HTTPConnection) {
        lock.holding { connections[ObjectIdentifier(connection)] = connection }
    }

    /// After this the connection's descriptor may be closed and its number used for something else.
    func closed(_ connection: HTTPConnection) {
        lock.holding { _ = connections.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// Ends connections whose phase has lasted too long.
    func cutOverdue(now: UInt64) {
        let allowed = UInt64(limits.phaseSeconds * 1e9)
        let cuts = lock.holding {
            connections.values.compactMap { $0.cutIfOverdue(now: now, allowedNanoseconds: allowed) }
        }
        for cut in cuts { noteCut(cut) }
    }

    // Bodies.

    /// Takes memory for a part of a body; false where there is none left.
    func hold(_ count: Int) -> Bool {
        guard heldBytes.add(count, ordering: .relaxed).newValue <= limits.heldBytes else {
            release(count)
            return false
        }
        return true
    }

    func release(_ count: Int) { heldBytes.subtract(count, ordering: .relaxed) }

    // Requests.

    var isDraining: Bool { isDrainingNow.load(ordering: .relaxed) }

    func began() { active.add(1, ordering: .relaxed) }

    func finished() {
        active.subtract(1, ordering: .sequentiallyConsistent)
        if isDrainingNow.load(ordering: .sequentiallyConsistent) { lock.holding { lock.announce() } }
    }

    /// Suspends a connection until its exchange is answered.
    ///
    /// On the daemon's thread, in the access handler.
    func suspend(_ connection: OpaquePointer, for exchange: HTTPExchange) {
        let isStopping = lock.holding {
            suspended[ObjectIdentifier(exchange)] = exchange
            return isStoppingNow.load(ordering: .relaxed)
        }
        MHD_suspend_connection(connection)
        if !exchange.noteSuspended() { resume(connection, exchange) }
        if isStopping { exchange.answer(.abandoned) }
    }

    /// Ends a suspension.
    ///
    /// A connection must not be touched after its daemon has stopped, so it leaves the table only when this is
    /// done.
    func resume(_ connection: OpaquePointer, _ exchange: HTTPExchange) {
        MHD_resume_connection(connection)
        lock.holding {
            _ = suspended.removeValue(forKey: ObjectIdentifier(exchange))
            lock.announce()
        }
    }

    // Stopping.

    /// From now on answers close their connections and new requests are refused.
    func drain() { isDrainingNow.store(true, ordering: .sequentiallyConsistent) }

    /// Waits until every request is answered and sent; false where the deadline came first.
    @discardableResult
    func waitUntilIdle(until deadline: UInt64) -> Bool {
        lock.wait(until: deadline) { active.load(ordering: .sequentiallyConsistent) == 0 }
    }

    /// Answers every suspended request with 503 and waits until none is suspended; libmicrohttpd aborts the process
    /// when it is stopped before.
    func abandonSuspended() {
        let waiting = lock.holding {
            isStoppingNow.store(true, ordering: .relaxed)
            return Array(suspended.values)
        }
        for exchange in waiting { exchange.answer(.abandoned) }
        // No deadline: what is left are threads between their answer and the end of `resume`.
        _ = lock.wait(until: .max / 2) { suspended.isEmpty }
    }

    /// Lets go of the handler, which may hold replies that hold this.
    ///
    /// After every daemon has stopped.
    func forgetHandler() { handler = { _, _ in } }
}
