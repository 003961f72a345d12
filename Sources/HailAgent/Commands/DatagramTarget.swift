import HailNet

/// Where `send` sends to.
package enum DatagramTarget: Hashable, Sendable {
    /// A name or a numeric address without brackets.
    case inet(HostPort)
    case unix(path: String)

    /// The text of `host:port`, `[v6]:port` or `unix:/path`.
    var text: String {
        switch self {
        case .inet(let place):
            place.host.contains(":") ? "[\(place.host)]:\(place.port)" : "\(place.host):\(place.port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    static let allowed = "HOST:PORT, [IPV6]:PORT, unix:/PATH"

    package init?(parsing text: String) {
        if text.hasPrefix("unix:") {
            guard case .unix(let path) = try? SocketAddress(parsing: text) else { return nil }
            self = .unix(path: path)
        } else {
            guard let place = HostPort(parsing: text) else { return nil }
            self = .inet(place)
        }
    }
}
