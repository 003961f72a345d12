internal import Glibc

/// Where an agent takes datagrams.
enum Endpoint: Hashable, Sendable {
    case host(String, port: Int)
    case unix(path: String)

    /// A connected datagram socket, or nil where there is none to be had now: the name is unknown, the path not there.
    ///
    /// Asks the system's resolver, so it may take seconds.
    func connected() -> Int32? {
        switch self {
        case .host(let name, let port): Endpoint.connect(host: name, port: port)
        case .unix(let path): Endpoint.connect(path: path)
        }
    }

    private static func connect(host: String, port: Int) -> Int32? {
        guard (1...65_535).contains(port), !host.utf8.contains(0) else { return nil }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var entry = list
        while let found = entry {
            let number = open(found.pointee.ai_family)
            if number >= 0 {
                if Glibc.connect(number, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 { return number }
                close(number)
            }
            entry = found.pointee.ai_next
        }
        return nil
    }

    private static func connect(path: String) -> Int32? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let isTaken = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard !bytes.isEmpty, bytes.count < room.count, !bytes.contains(0) else { return false }
            room.copyBytes(from: bytes)
            return true
        }
        let number = isTaken ? open(AF_UNIX) : -1
        guard number >= 0 else { return nil }
        let code = withUnsafeBytes(of: &address) { raw in
            raw.withMemoryRebound(to: sockaddr.self) { Glibc.connect(number, $0.baseAddress, socklen_t(raw.count)) }
        }
        if code == 0 { return number }
        close(number)
        return nil
    }

    private static func open(_ family: Int32) -> Int32 {
        socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    }
}
