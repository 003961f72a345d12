internal import CIngest
internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

/// One connection, and the request that is on its way over it.
///
/// `@unchecked Sendable`: everything but `descriptor` and `phaseStart` belongs to the daemon's thread.
final class HTTPConnection: @unchecked Sendable {
    let descriptor: Int32

    private enum Stage {
        /// For a request line, or for the header fields behind it.
        case head
        case body
        /// A handler has it.
        case handed(HTTPExchange)
    }

    private let traffic: HTTPTraffic
    private let peer: PeerClass
    private var stage = Stage.head
    private var target = HTTPTarget()
    /// Where the text of the target lies, and its length up to the first NUL.
    private var targetText: (start: UInt, count: Int) = (0, 0)
    private var method = ""
    private var headers = HTTPHeaders()
    private var body: [UInt8] = []
    private var problem: HTTPProblem?
    private var discardedBytes = 0
    /// When the phase began that `HTTPLimits.phaseSeconds` bounds; 0 while a handler has the request.
    private let phaseStart: Atomic<UInt64>
    /// Whether the phase is the sending of an answer.
    private let isAnswering = Atomic<Bool>(false)
    private let isCut = Atomic<Bool>(false)

    init(descriptor: Int32, traffic: HTTPTraffic) {
        self.descriptor = descriptor
        self.traffic = traffic
        peer = HTTPConnection.peerClass(of: descriptor)
        phaseStart = Atomic(Clock.nanoseconds)
    }

    /// Ends the connection if its phase has lasted longer than it may; libmicrohttpd then sees its end and closes it.
    ///
    /// From any thread, while the descriptor is known to be open.
    ///
    /// - Returns: what it was cut in, the first time.
    func cutIfOverdue(now: UInt64, allowedNanoseconds: UInt64) -> HTTPCut? {
        let start = phaseStart.load(ordering: .relaxed)
        guard start != 0, now > start, now - start > allowedNanoseconds else { return nil }
        let cut = isAnswering.load(ordering: .relaxed) ? HTTPCut.answer : .request
        shutdown(descriptor, Int32(SHUT_RDWR))
        return isCut.exchange(true, ordering: .relaxed) ? nil : cut
    }

    /// Takes the raw request target, before libmicrohttpd decodes it.
    func requested(_ bytes: UnsafeRawBufferPointer) {
        target = HTTPTarget(parsing: Array(bytes))
        targetText = (UInt(bitPattern: bytes.baseAddress), bytes.count)
        enterPhase()
    }

    /// One call of libmicrohttpd's access handler: header fields are there, a part of the body is, or all of it, or
    /// a suspended connection goes on.
    func access(
        _ connection: OpaquePointer, method: String, version: UnsafePointer<CChar>?,
        upload: UnsafePointer<CChar>?, count: inout Int
    ) -> MHD_Result {
        switch stage {
        case .head:
            if hidesNul(before: version) { target.problem = .nul }
            return begin(connection, method: method, version: version)
        case .body where count > 0:
            defer { count = 0 }
            return take(UnsafeRawBufferPointer(start: upload, count: count)) ? .YES : .NO
        case .body:
            return hand(connection)
        case .handed(let exchange):
            guard let answer = exchange.answer else { return .YES }
            return queue(answer, on: connection)
        }
    }

    /// The request is over: answered and sent, or its connection broke.
    func completed() {
        traffic.release(body.count)
        if case .handed = stage { traffic.finished() }
        stage = .head
        target = HTTPTarget()
        headers = HTTPHeaders()
        body = []
        problem = nil
        discardedBytes = 0
        enterPhase()
    }

    private func enterPhase(isAnswering: Bool = false) {
        self.isAnswering.store(isAnswering, ordering: .relaxed)
        phaseStart.store(Clock.nanoseconds, ordering: .relaxed)
    }

    /// Whether a raw NUL cut the target short: the version of the request line follows in the same memory, one byte
    /// behind the target's end.
    private func hidesNul(before version: UnsafePointer<CChar>?) -> Bool {
        let gap = Int(bitPattern: UInt(bitPattern: version) &- targetText.start)
        return gap > targetText.count + 1 && gap <= traffic.limits.requestMemoryBytes
    }

    /// Looks at the header fields and decides whether the body is worth reading.
    private func begin(
        _ connection: OpaquePointer, method: String, version: UnsafePointer<CChar>?
    ) -> MHD_Result {
        self.method = method
        let fields = HTTPHeaderFields(of: connection, version: version)
        headers = fields.headers
        stage = .body
        problem = target.problem
        if targetText.count > traffic.limits.targetBytes {
            problem = .targetTooLong(limitBytes: traffic.limits.targetBytes)
        } else if fields.byteCount > traffic.limits.headerBytes {
            problem = .headersTooLarge(limitBytes: traffic.limits.headerBytes)
        } else if problem == nil, fields.isMalformed {
            problem = .malformedHeader
        }
        let lengths = headers.all("Content-Length")
        guard HTTPConnection.isClear(lengths: lengths, codings: headers.all("Transfer-Encoding")) else {
            problem = .unclearLength
            return hand(connection)
        }
        // libmicrohttpd has refused what is no number by now.
        guard let length = lengths.first.flatMap({ Int($0) }) else { return .YES }
        if length > traffic.limits.bodyBytes {
            problem = .bodyTooLarge(limitBytes: traffic.limits.bodyBytes)
            let waits = headers["Expect"].map { HTTPHeaders.same($0, "100-continue") } ?? false
            if waits || length > traffic.limits.discardedBytes { return hand(connection) }
        } else {
            body.reserveCapacity(min(length, 64 << 10))
        }
        return .YES
    }

    /// Whether every reader of the header fields finds the same end of the body.
    private static func isClear(lengths: [String], codings: [String]) -> Bool {
        if codings.isEmpty { return lengths.count <= 1 }
        return lengths.isEmpty && codings.count == 1 && HTTPHeaders.same(codings[0], "chunked")
    }

    /// Takes a part of the body, or throws it away; false where the connection is to be cut.
    private func take(_ part: UnsafeRawBufferPointer) -> Bool {
        if problem == nil {
            if body.count + part.count > traffic.limits.bodyBytes {
                problem = .bodyTooLarge(limitBytes: traffic.limits.bodyBytes)
            } else if !traffic.hold(part.count) {
                problem = .busy
            } else {
                body.append(contentsOf: part)
                return true
            }
        }
        discardedBytes += body.count + part.count
        traffic.release(body.count)
        body = []
        return discardedBytes <= traffic.limits.discardedBytes
    }

    /// Gives the request to the handler, and suspends the connection where the answer is not there at once.
    private func hand(_ connection: OpaquePointer) -> MHD_Result {
        let exchange = HTTPExchange(connection, traffic)
        stage = .handed(exchange)
        phaseStart.store(0, ordering: .relaxed)
        traffic.began()
        if traffic.isDraining {
            exchange.answer(.stopping)
        } else {
            let request = HTTPRequest(
                method: method, target: target, headers: headers, body: body, peer: peer, problem: problem)
            traffic.handler(request, HTTPReply(exchange))
        }
        if let answer = exchange.answer { return queue(answer, on: connection) }
        traffic.suspend(connection, for: exchange)
        return .YES
    }

    private func queue(_ answer: HTTPResponse, on connection: OpaquePointer) -> MHD_Result {
        let response = answer.body.withUnsafeBytes { bytes in
            MHD_create_response_from_buffer(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
        }
        guard let response else { return .NO }
        defer { MHD_destroy_response(response) }
        MHD_add_response_header(response, "Content-Type", answer.contentType)
        for field in answer.headers { MHD_add_response_header(response, field.name, field.value) }
        // Where the length or a field is not clear, nobody can tell where the next request begins.
        if traffic.isDraining || problem == .unclearLength || problem == .malformedHeader {
            MHD_add_response_header(response, "Connection", "close")
        }
        enterPhase(isAnswering: true)
        return MHD_queue_response(connection, UInt32(answer.status), response)
    }

    private static func peerClass(of descriptor: Int32) -> PeerClass {
        SocketAddress.withRoom { base, room in
            var count = socklen_t(room.count)
            guard getpeername(descriptor, base, &count) == 0 else { return .any }
            return PeerClass(rawValue: ingest_peer_class(base, Int(count))) ?? .any
        }
    }
}
