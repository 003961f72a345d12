import Glibc

/// A connected socket of a command, closed when it goes.
///
/// The commands are single-threaded; `@unchecked Sendable` because the descriptor never changes and the kernel
/// orders what threads do with it.
final class ClientSocket: @unchecked Sendable {
    private let descriptor: Int32

    /// How long one connect, send or read may take.
    static let patienceSeconds = 10

    /// - Parameter type: `SOCK_DGRAM` or `SOCK_STREAM`.
    init(to target: DatagramTarget, type: __socket_type) throws(SystemError) {
        switch target {
        case .inet(let place): descriptor = try ClientSocket.connect(to: place, type: type)
        case .unix(let path): descriptor = try ClientSocket.connect(toPath: path, type: type)
        }
    }

    deinit { close(descriptor) }

    /// Sends one datagram.
    ///
    /// An agent that is not there shows with the next one, as the kernel hears of it late.
    func send(_ bytes: [UInt8]) throws(SystemError) {
        while true {
            let sent = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent == bytes.count { return }
            guard errno == EINTR else { throw SystemError.last }
        }
    }

    /// Writes everything, then reads until the other side closes.
    func exchange(_ request: [UInt8], limitBytes: Int) throws(SystemError) -> [UInt8] {
        var rest = request[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent >= 0 || errno == EINTR else { throw SystemError.last }
            rest = rest.dropFirst(max(0, sent))
        }
        var answer: [UInt8] = []
        while true {
            guard let piece = BlockingIO.read(from: descriptor) else { throw SystemError.last }
            if piece.isEmpty { return answer }
            answer += piece
            guard answer.count <= limitBytes else {
                throw SystemError(reason: "the answer is larger than \(limitBytes) bytes")
            }
        }
    }

    private static func connect(to place: HostPort, type: __socket_type) throws(SystemError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(type.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(place.host, String(place.port), &hints, &list)
        guard code == 0 else { throw SystemError(reason: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var failure = SystemError(reason: "the name has no address")
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr else { continue }
            do {
                return try connect(family: entry.ai_family, type: type, address: address, length: entry.ai_addrlen)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func connect(toPath path: String, type: __socket_type) throws(SystemError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8) + [0]
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(reason: "the path is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        do {
            return try withUnsafePointer(to: &address) { pointer in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    try connect(
                        family: AF_UNIX, type: type, address: $0, length: socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        } catch let failure as SystemError {
            throw failure
        } catch {
            throw SystemError(reason: "\(error)")
        }
    }

    private static func connect(
        family: Int32, type: __socket_type, address: UnsafePointer<sockaddr>, length: socklen_t
    ) throws(SystemError) -> Int32 {
        let descriptor = socket(family, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError.last }
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard Glibc.connect(descriptor, address, length) == 0 else {
            let failure = SystemError.last
            close(descriptor)
            throw failure
        }
        return descriptor
    }
}
