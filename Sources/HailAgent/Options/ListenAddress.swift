import Glibc

/// Where a socket is bound, or where datagrams are sent.
package enum ListenAddress: Hashable, Sendable {
    /// A numeric address without brackets; port 0 is any free port.
    case inet(host: String, port: UInt16)
    /// The path of a unix socket.
    case unix(path: String)

    /// The longest path of a unix socket: `sun_path` less its NUL.
    package static let pathLimitBytes = 107

    static let allowed = "IPV4:PORT, [IPV6]:PORT, localhost:PORT, unix:/PATH (up to 107 bytes)"

    /// Reads `127.0.0.1:8125`, `[::1]:8125`, `localhost:8125` (which is 127.0.0.1) or `unix:/path`; nil for
    /// anything else.
    package init?(parsing text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count > 1,
                path.utf8.count <= ListenAddress.pathLimitBytes, !path.utf8.contains(0)
            else { return nil }
            self = .unix(path: path)
            return
        }
        guard let (host, port) = HostPort.split(text) else { return nil }
        if host.hasPrefix("[") {
            let inner = String(host.dropFirst().dropLast())
            guard ListenAddress.isAddress(inner, family: AF_INET6) else { return nil }
            self = .inet(host: inner, port: port)
        } else {
            let numeric = host == "localhost" ? "127.0.0.1" : host
            guard ListenAddress.isAddress(numeric, family: AF_INET) else { return nil }
            self = .inet(host: numeric, port: port)
        }
    }

    private static func isAddress(_ text: String, family: Int32) -> Bool {
        var room = in6_addr()
        return inet_pton(family, text, &room) == 1
    }
}

extension ListenAddress: CustomStringConvertible {
    /// As the options write it.
    package var description: String {
        switch self {
        case .inet(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
