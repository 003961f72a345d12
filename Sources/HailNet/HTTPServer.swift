internal import Dispatch

/// An HTTP server on one or more addresses.
///
/// Each has an epoll thread of its own, on which the handler runs; a handler that takes time answers later, from
/// elsewhere.
///
/// `@unchecked Sendable`: every stored property that changes is read and written on `control` only, which is serial.
package final class HTTPServer: @unchecked Sendable {
    /// Answers a request through its reply, now or later; never waits.
    package typealias Handler = @Sendable (HTTPRequest, HTTPReply) -> Void

    /// The addresses it is bound to, with the ports that the system chose.
    package let addresses: [SocketAddress]

    private let limits: HTTPLimits
    private let control = DispatchQueue(label: "hailwhale.http.control")
    /// Bound and not yet started.
    private var listeners: [ListeningSocket]
    private var daemons: [HTTPDaemon] = []
    private var traffic: HTTPTraffic?
    private var reaper: (any DispatchSourceTimer)?

    /// How long answers that a stop has forced may take to be sent.
    private static let farewellNanoseconds: UInt64 = 1_000_000_000

    /// Binds every address; callers wait in the system's queue until `start`.
    ///
    /// - Parameter handed: descriptors of listening sockets that the program was started with, to be taken over.
    package init(
        on wanted: [SocketAddress], adopting handed: [Int32] = [], limits: HTTPLimits = HTTPLimits()
    ) throws(NetError) {
        var bound: [ListeningSocket] = []
        for number in handed { bound.append(try ListeningSocket(adopting: number)) }
        for address in wanted { bound.append(try ListeningSocket(on: address)) }
        listeners = bound
        addresses = bound.map(\.address)
        self.limits = limits
    }

    /// Starts to answer.
    ///
    /// Called once.
    ///
    /// - Parameter noteCut: told of each connection that was cut for being slow, on any thread.
    /// - Throws: `serverRefused`; nothing is left running then.
    package func start(
        _ handler: @escaping Handler, noteCut: @escaping @Sendable (HTTPCut) -> Void = { _ in }
    ) throws(NetError) {
        let result: Result<Void, NetError> = control.sync {
            do throws(NetError) {
                try begin(HTTPTraffic(limits: limits, handler: handler, noteCut: noteCut))
                return .success(())
            } catch {
                end(graceSeconds: 0)
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Takes no more connections, waits up to `graceSeconds` for the answers that handlers still owe, answers the
    /// others with 503, and ends.
    ///
    /// Blocks; not to be called on a thread of the server, and the queues that owe the answers must be free to give
    /// them.
    package func stop(graceSeconds: Double) {
        control.sync { end(graceSeconds: graceSeconds) }
    }

    deinit { end(graceSeconds: 0) }

    private func begin(_ traffic: HTTPTraffic) throws(NetError) {
        self.traffic = traffic
        for listener in listeners { daemons.append(try HTTPDaemon(listener, traffic)) }
        listeners = []
        let reaper = DispatchSource.makeTimerSource(queue: DispatchQueue.global(qos: .utility))
        let interval = min(max(limits.phaseSeconds / 4, 0.05), 5)
        reaper.schedule(deadline: .now() + interval, repeating: interval, leeway: .milliseconds(Int(interval * 100)))
        reaper.setEventHandler { traffic.cutOverdue(now: Clock.nanoseconds) }
        reaper.activate()
        self.reaper = reaper
    }

    private func end(graceSeconds: Double) {
        listeners = []
        guard let traffic else { return }
        traffic.drain()
        for daemon in daemons { daemon.quiesce() }
        traffic.waitUntilIdle(until: Clock.nanoseconds + UInt64(max(graceSeconds, 0) * 1e9))
        traffic.abandonSuspended()
        traffic.waitUntilIdle(until: Clock.nanoseconds + HTTPServer.farewellNanoseconds)
        for daemon in daemons { daemon.stop() }
        daemons = []
        traffic.forgetHandler()
        reaper?.cancel()
        reaper = nil
        self.traffic = nil
    }
}
