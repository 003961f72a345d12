internal import Glibc

/// Where an agent listens: for datagrams, or for HTTP.
enum Endpoint: Hashable, Sendable {
    case host(String, port: Int)
    case unix(path: String)

    /// One of the addresses that it stands for.
    struct Address {
        let family: Int32
        /// A socket address as the system has it.
        let bytes: [UInt8]

        /// A new socket that makes nobody wait; negative where there is none to be had.
        func socket(_ type: __socket_type) -> Int32 {
            Glibc.socket(family, Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        }

        /// 0, or why the socket is not connected, or not yet.
        func connect(_ number: Int32) -> Int32 {
            bytes.withUnsafeBytes { raw in
                let address = raw.baseAddress?.assumingMemoryBound(to: sockaddr.self)
                return Glibc.connect(number, address, socklen_t(raw.count)) == 0 ? 0 : errno
            }
        }
    }

    /// The addresses to try, in order; none where the name is unknown or the path cannot be.
    ///
    /// Asks the system's resolver, so it may take seconds.
    func addresses(_ type: __socket_type) -> [Address] {
        switch self {
        case .host(let name, let port): Endpoint.addresses(host: name, port: port, type)
        case .unix(let path): Endpoint.address(path: path).map { [$0] } ?? []
        }
    }

    /// A connected datagram socket, or nil where there is none to be had now.
    func connected() -> Int32? {
        for address in addresses(SOCK_DGRAM) {
            let number = address.socket(SOCK_DGRAM)
            guard number >= 0 else { continue }
            if address.connect(number) == 0 { return number }
            close(number)
        }
        return nil
    }

    private static func addresses(host: String, port: Int, _ type: __socket_type) -> [Address] {
        guard (1...65_535).contains(port), !host.utf8.contains(0) else { return [] }
        var hints = addrinfo()
        hints.ai_socktype = Int32(type.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [Address] = []
        var entry = list
        while let found = entry?.pointee {
            let bytes = UnsafeRawBufferPointer(start: found.ai_addr, count: Int(found.ai_addrlen))
            addresses.append(Address(family: found.ai_family, bytes: Array(bytes)))
            entry = found.ai_next
        }
        return addresses
    }

    private static func address(path: String) -> Address? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let isTaken = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard !bytes.isEmpty, bytes.count < room.count, !bytes.contains(0) else { return false }
            room.copyBytes(from: bytes)
            return true
        }
        guard isTaken else { return nil }
        return Address(family: AF_UNIX, bytes: withUnsafeBytes(of: &address) { Array($0) })
    }
}
