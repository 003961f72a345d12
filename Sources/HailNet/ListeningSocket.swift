internal import Glibc

/// A stream socket that takes connections; it is closed when the last reference goes.
final class ListeningSocket: Sendable {
    /// The address it is bound to, with the port that the system chose.
    let address: SocketAddress
    let descriptor: Descriptor
    private let file: SocketFile?

    private static let backlog: Int32 = 1_024

    /// Takes over a listening socket that the program was started with.
    ///
    /// The file of a unix socket stays with whoever made it.
    init(adopting number: Int32) throws(NetError) {
        let descriptor = Descriptor(owning: number)
        let flags = fcntl(number, F_GETFL)
        guard SocketOption.value(of: SO_ACCEPTCONN, on: descriptor) == 1, flags >= 0,
            fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0
        else {
            _ = descriptor.release()
            throw .system(action: "adopt", subject: "descriptor \(number), no listening socket,", code: ENOTSOCK)
        }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        file = nil
        address = try SocketAddress.bound(to: descriptor)
        self.descriptor = descriptor
    }

    init(on wanted: SocketAddress) throws(NetError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = socket(wanted.family, type, 0)
        guard number >= 0 else { throw .system(action: "open a socket for", subject: "\(wanted)", code: errno) }
        let descriptor = Descriptor(owning: number)
        switch wanted {
        case .unix(let path):
            try SocketFile.clear(path: path, type: SOCK_STREAM)
        case .ipv6:
            SocketOption.set(IPV6_V6ONLY, to: 1, level: Int32(IPPROTO_IPV6), on: descriptor)
            fallthrough
        case .ipv4:
            // Only connections of a former agent that are still closing are passed over, no living listener.
            SocketOption.set(SO_REUSEADDR, to: 1, on: descriptor)
        }
        let code = wanted.withSocketAddress { pointer, count in
            bind(number, pointer, count) == 0 && listen(number, ListeningSocket.backlog) == 0 ? 0 : errno
        }
        if code == EADDRINUSE { throw .addressInUse("\(wanted)") }
        guard code == 0 else { throw .system(action: "listen on", subject: "\(wanted)", code: code) }
        file = SocketFile(of: wanted)
        address = try SocketAddress.bound(to: descriptor)
        self.descriptor = descriptor
    }

    deinit { file?.remove() }
}
