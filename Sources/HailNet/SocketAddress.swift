internal import Glibc

/// Where a socket listens or sends to.
package enum SocketAddress: Hashable, Sendable {
    /// The address in host order: `0x7F00_0001` is 127.0.0.1.
    case ipv4(UInt32, port: UInt16)
    case ipv6(UInt128, port: UInt16)
    case unix(path: String)

    /// What `init(parsing:)` takes, in words for an operator.
    package static let allowed =
        "127.0.0.1:8125, [::1]:8125, localhost:8125 (port 0 is any free one) or unix:/path"

    /// The longest path of a unix socket: `sun_path` less its final NUL.
    package static let pathBytes = 107

    /// Reads an address; names other than `localhost` are not looked up.
    package init(parsing text: String) throws(NetError) {
        let bad = NetError.badAddress(text: text, allowed: SocketAddress.allowed)
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count > 1, path.utf8.count <= SocketAddress.pathBytes,
                !path.utf8.contains(0)
            else { throw bad }
            self = .unix(path: path)
            return
        }
        guard let (host, port) = SocketAddress.split(text) else { throw bad }
        if host.first == "[" {
            guard let address = SocketAddress.ipv6(String(host.dropFirst().dropLast())) else { throw bad }
            self = .ipv6(address, port: port)
        } else if host == "localhost" {
            self = .ipv4(0x7F00_0001, port: port)
        } else {
            guard let address = SocketAddress.ipv4(String(host)) else { throw bad }
            self = .ipv4(address, port: port)
        }
    }

    /// Reads an address and looks up the name of a host, which may take the resolver's time; the first address
    /// found is taken.
    package static func resolving(_ text: String) throws(NetError) -> SocketAddress {
        if let address = try? SocketAddress(parsing: text) { return address }
        guard !text.hasPrefix("unix:"), let (host, port) = split(text), host.first != "[" else {
            throw .badAddress(text: text, allowed: allowed + ", or a host's name and port")
        }
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(String(host), nil, &hints, &found)
        defer { if let found { freeaddrinfo(found) } }
        guard status == 0, let first = found?.pointee, let raw = first.ai_addr,
            let address = SocketAddress(raw, count: first.ai_addrlen)
        else { throw .unknownHost(name: String(host), reason: String(cString: gai_strerror(status))) }
        return address.with(port: port)
    }

    /// The port; nil for a unix socket.
    package var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port): port
        case .unix: nil
        }
    }

    /// The same address with another port.
    package func with(port: UInt16) -> SocketAddress {
        switch self {
        case .ipv4(let address, _): .ipv4(address, port: port)
        case .ipv6(let address, _): .ipv6(address, port: port)
        case .unix: self
        }
    }

    /// Whether the address stands for every one of the machine: `0.0.0.0`, `[::]`.
    package var isWildcard: Bool {
        switch self {
        case .ipv4(let address, _): address == 0
        case .ipv6(let address, _): address == 0
        case .unix: false
        }
    }

    /// Host and port of `host:port`, `[host]:port`; nil where the port is no decimal number of 16 bits.
    private static func split(_ text: String) -> (host: Substring, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(digits), !host.isEmpty
        else { return nil }
        guard (host.first == "[") == (host.last == "]"), host.first == "[" || !host.contains(":") else { return nil }
        return (host, port)
    }

    /// The address of four decimal numbers with dots, or nil.
    static func ipv4(_ text: String) -> UInt32? {
        var address = in_addr()
        guard !text.utf8.contains(0), inet_pton(AF_INET, text, &address) == 1 else { return nil }
        return UInt32(bigEndian: address.s_addr)
    }

    /// The address of an IPv6 literal without brackets and zone, or nil.
    static func ipv6(_ text: String) -> UInt128? {
        var address: UInt128 = 0
        guard !text.utf8.contains(0), inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return UInt128(bigEndian: address)
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The text that `init(parsing:)` reads back.
    package var description: String {
        switch self {
        case .ipv4(let address, let port): "\(SocketAddress.text(of: address)):\(port)"
        case .ipv6(let address, let port): "[\(SocketAddress.text(of: address))]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The host alone, as a URL and a `Host` header write it; nil for a unix socket.
    package var host: String? {
        switch self {
        case .ipv4(let address, _): SocketAddress.text(of: address)
        case .ipv6(let address, _): "[\(SocketAddress.text(of: address))]"
        case .unix: nil
        }
    }

    private static func text(of address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
    }

    private static func text(of address: UInt128) -> String {
        var bytes = address.bigEndian
        var room = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &bytes, &room, socklen_t(room.count)) != nil else { return "::" }
        return String(decoding: room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
