internal import Dispatch
internal import Glibc
internal import HailWire

/// Carries datagrams from the outbox to the agent.
///
/// `@unchecked Sendable`: everything that changes, but for the locked outbox, is touched on `queue` alone.
final class Courier: @unchecked Sendable {
    let outbox: Lock<Outbox>
    private let queue = DispatchQueue(label: "hailwhale.client", qos: .utility)
    private let endpoint: Endpoint
    private let flushDelay: DispatchTimeInterval

    private var descriptor: Int32?
    private var isRetryDue = false
    /// Lines of the datagram that the system took last: what a refusal over UDP is about.
    private var lastLineCount = 0

    /// How long to wait where the receiver's or the system's buffer is full.
    private static let fullMilliseconds = 2
    /// How long to wait before another try to reach an agent that is not there.
    private static let absentMilliseconds = 500

    init(to endpoint: Endpoint, _ options: HailOptions) {
        self.endpoint = endpoint
        flushDelay = .milliseconds(options.flushMilliseconds)
        outbox = Lock(Outbox(options))
    }

    deinit { if let descriptor { Glibc.close(descriptor) } }

    /// Takes a line from any thread.
    func add(_ line: [UInt8]) {
        switch outbox.holding({ $0.add(line) }) {
        case .none: break
        case .flushLater: flushLater()
        case .sendNow: queue.async { self.drain() }
        }
    }

    /// Counts a sample that cannot be sent.
    func drop() { outbox.holding { $0.drop(1) } }

    private func flushLater() {
        queue.asyncAfter(deadline: .now() + flushDelay) { self.flush() }
    }

    private func flush() {
        outbox.holding { $0.flush() }
        drain()
    }

    /// Hands the system what waits, as far as it takes it without waiting.
    func flushNow() { queue.sync { flush() } }

    /// Hands over what waits, waiting up to a deadline where the system makes it wait; what is left is dropped.
    func close(withinMilliseconds patience: Int) {
        outbox.holding { $0.close() }
        queue.sync {
            let deadline = DispatchTime.now() + .milliseconds(patience)
            flush()
            while !outbox.holding({ $0.isEmpty }), DispatchTime.now() < deadline {
                usleep(useconds_t(Courier.fullMilliseconds * 1_000))
                drain()
            }
            finish()
        }
    }

    /// The same without making anybody wait: for a client that is let go of.
    func closeLater() {
        outbox.holding { $0.close() }
        queue.async {
            self.flush()
            self.finish()
        }
    }

    private func finish() {
        outbox.holding { $0.abandon() }
        hangUp()
    }

    private func hangUp() {
        if let descriptor { Glibc.close(descriptor) }
        descriptor = nil
    }

    private func drain() {
        dispatchPrecondition(condition: .onQueue(queue))
        while let datagram = outbox.holding({ $0.next() }) {
            if descriptor == nil { descriptor = endpoint.connected() }
            guard let descriptor else { return retry(afterMilliseconds: Courier.absentMilliseconds) }
            let code = send(datagram.bytes, to: descriptor)
            switch code {
            case 0:
                lastLineCount = datagram.lineCount
                outbox.holding { $0.remove() }
            case EINTR: continue
            case EAGAIN, ENOBUFS: return retry(afterMilliseconds: Courier.fullMilliseconds)
            case ECONNREFUSED where endpoint.isInternet:
                // It was refused a moment after it was taken; the one in hand was not tried.
                let count = lastLineCount
                lastLineCount = 0
                outbox.holding { $0.drop(count) }
            case ECONNREFUSED, ENOENT, ENOTCONN, ECONNRESET, EPIPE:
                hangUp()
                return retry(afterMilliseconds: Courier.absentMilliseconds)
            default:
                outbox.holding { outbox in
                    outbox.drop(datagram.lineCount)
                    outbox.remove()
                }
            }
        }
        if outbox.holding({ $0.takesFlush() }) { flushLater() }
    }

    /// 0, or why the system did not take it.
    private func send(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) < 0 ? errno : 0
        }
    }

    private func retry(afterMilliseconds delay: Int) {
        guard !isRetryDue else { return }
        isRetryDue = true
        queue.asyncAfter(deadline: .now() + .milliseconds(delay)) {
            self.isRetryDue = false
            self.drain()
        }
    }
}

extension Endpoint {
    /// Whether the answer to a datagram comes later, if at all.
    fileprivate var isInternet: Bool { if case .host = self { true } else { false } }
}
