/// Where `send` sends to.
package enum DatagramTarget: Hashable, Sendable {
    /// A name or a numeric address without brackets.
    case inet(HostPort)
    case unix(path: String)

    static let allowed = "HOST:PORT, [IPV6]:PORT, unix:/PATH"

    package init?(parsing text: String) {
        if text.hasPrefix("unix:") {
            guard case .unix(let path) = ListenAddress(parsing: text) else { return nil }
            self = .unix(path: path)
        } else {
            guard let place = HostPort(parsing: text) else { return nil }
            self = .inet(place)
        }
    }
}
