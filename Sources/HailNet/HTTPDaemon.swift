internal import CMicroHTTPD
internal import Glibc

/// libmicrohttpd on one listening socket, with a thread of its own.
///
/// Started by `init`; `quiesce` and then `stop` must follow, in that order and once, before it is dropped.
final class HTTPDaemon {
    private let daemon: OpaquePointer
    private var listener: ListeningSocket?
    /// What the callbacks' context points to.
    private let traffic: Unmanaged<HTTPTraffic>

    init(_ listener: ListeningSocket, _ traffic: HTTPTraffic) throws(NetError) {
        let context = Unmanaged.passRetained(traffic)
        let options = HTTPDaemon.options(listener.descriptor.number, traffic.limits, context.toOpaque())
        let flags = MHD_USE_EPOLL_INTERNAL_THREAD.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue
        let daemon = withVaList(options) { list in
            MHD_start_daemon_va(UInt32(flags), 0, nil, nil, HTTPDaemon.access, context.toOpaque(), list)
        }
        guard let daemon else {
            context.release()
            throw .serverRefused(address: "\(listener.address)")
        }
        self.daemon = daemon
        self.listener = listener
        self.traffic = context
    }

    /// Takes no more connections and closes the listening socket, so that callers are refused rather than left waiting.
    func quiesce() {
        MHD_quiesce_daemon(daemon)
        listener = nil
    }

    /// Ends the thread and its connections, of which none may be suspended.
    ///
    /// Not on the daemon's own thread.
    func stop() {
        MHD_stop_daemon(daemon)
        traffic.release()
    }

    private static func options(
        _ descriptor: Int32, _ limits: HTTPLimits, _ context: UnsafeMutableRawPointer
    ) -> [any CVarArg] {
        // Functions and pointers are passed as the numbers of their addresses.
        let context = Int(bitPattern: context)
        return [
            MHD_OPTION.LISTEN_SOCKET.rawValue, descriptor,
            MHD_OPTION.CONNECTION_MEMORY_LIMIT.rawValue, limits.requestMemoryBytes,
            MHD_OPTION.CONNECTION_LIMIT.rawValue, UInt32(limits.connections),
            MHD_OPTION.PER_IP_CONNECTION_LIMIT.rawValue, UInt32(limits.connectionsPerAddress),
            MHD_OPTION.CONNECTION_TIMEOUT.rawValue, UInt32(limits.idleSeconds),
            MHD_OPTION.STRICT_FOR_CLIENT.rawValue, Int32(1),
            MHD_OPTION.NOTIFY_CONNECTION.rawValue, unsafeBitCast(connectionChanged, to: Int.self), context,
            MHD_OPTION.NOTIFY_COMPLETED.rawValue, unsafeBitCast(completed, to: Int.self), context,
            MHD_OPTION.URI_LOG_CALLBACK.rawValue, unsafeBitCast(requested, to: Int.self), context,
            MHD_OPTION.UNESCAPE_CALLBACK.rawValue, unsafeBitCast(unescape, to: Int.self), context,
            MHD_OPTION.END.rawValue,
        ]
    }

    /// The connection whose retained reference libmicrohttpd keeps from its start to its end.
    private static func connection(_ raw: OpaquePointer?) -> HTTPConnection? {
        guard let raw, let context = hail_mhd_socket_context(raw) else { return nil }
        return Unmanaged<HTTPConnection>.fromOpaque(context).takeUnretainedValue()
    }

    private typealias ConnectionChanged =
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
            MHD_ConnectionNotificationCode
        ) -> Void

    private static let connectionChanged: ConnectionChanged = { context, raw, place, code in
        guard let context, let raw, let place else { return }
        let traffic = Unmanaged<HTTPTraffic>.fromOpaque(context).takeUnretainedValue()
        if code == .CONNECTION_NOTIFY_STARTED {
            let connection = HTTPConnection(descriptor: hail_mhd_descriptor(raw), traffic: traffic)
            place.pointee = Unmanaged.passRetained(connection).toOpaque()
            traffic.opened(connection)
        } else if let held = place.pointee {
            place.pointee = nil
            traffic.closed(Unmanaged<HTTPConnection>.fromOpaque(held).takeRetainedValue())
        }
    }

    private typealias Requested =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafePointer<CChar>?, OpaquePointer?
        ) -> UnsafeMutableRawPointer?

    private static let requested: Requested = { _, text, raw in
        guard let text else { return nil }
        HTTPDaemon.connection(raw)?.requested(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        return nil
    }

    private typealias Completed =
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
            MHD_RequestTerminationCode
        ) -> Void

    private static let completed: Completed = { _, raw, _, _ in HTTPDaemon.connection(raw)?.completed() }

    private typealias Unescape =
        @convention(c) (
            UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<CChar>?
        ) -> Int

    /// Leaves the text as it is: the raw target was read before.
    private static let unescape: Unescape = { _, _, text in text.map { strlen($0) } ?? 0 }

    private static let access: MHD_AccessHandlerCallback = { _, raw, _, method, version, upload, count, _ in
        guard let raw, let method, let count, let connection = HTTPDaemon.connection(raw) else { return .NO }
        return connection.access(
            raw, method: String(cString: method), version: version, upload: upload, count: &count.pointee)
    }
}
