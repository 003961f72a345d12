internal import Glibc

/// Addresses as the system's calls take them.
extension SocketAddress {
    /// The protocol family: `AF_INET`, `AF_INET6`, `AF_UNIX`.
    var family: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Runs `body` with the `sockaddr` of the address.
    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        SocketAddress.withRoom { base, room in body(UnsafePointer(base), socklen_t(fill(room))) }
    }

    /// Runs `body` with room for an address of any kind, zeroed.
    ///
    /// It stands for a `sockaddr_storage`, whose name an optimised build assigns to the module of libmicrohttpd.
    static func withRoom<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: roomBytes, alignment: 8) { room in
            room.initializeMemory(as: UInt8.self, repeating: 0)
            return room.withMemoryRebound(to: sockaddr.self) { bound in
                guard let base = bound.baseAddress else { preconditionFailure("the room for an address is empty") }
                return body(base, room)
            }
        }
    }

    /// The size of a `sockaddr_storage`.
    static let roomBytes = 128

    /// Writes the address at the start of `room`, which is zeroed; the count of its bytes.
    private func fill(_ room: UnsafeMutableRawBufferPointer) -> Int {
        switch self {
        case .ipv4(let address, let port):
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            raw.sin_addr.s_addr = address.bigEndian
            withUnsafeBytes(of: &raw) { room.copyMemory(from: $0) }
            return MemoryLayout<sockaddr_in>.size
        case .ipv6(let address, let port):
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &raw.sin6_addr) { target in
                withUnsafeBytes(of: address.bigEndian) { target.copyMemory(from: $0) }
            }
            withUnsafeBytes(of: &raw) { room.copyMemory(from: $0) }
            return MemoryLayout<sockaddr_in6>.size
        case .unix(let path):
            let offset = MemoryLayout<sa_family_t>.size
            withUnsafeBytes(of: sa_family_t(AF_UNIX)) { room.copyMemory(from: $0) }
            let bytes = path.utf8.prefix(SocketAddress.pathBytes)
            for (index, byte) in bytes.enumerated() { room[offset + index] = byte }
            return offset + bytes.count + 1
        }
    }

    /// Reads a `sockaddr`; nil for a family that is none of ours, and for a nameless unix socket.
    init?(_ raw: UnsafePointer<sockaddr>, count: socklen_t) {
        let bytes = UnsafeRawBufferPointer(start: raw, count: Int(count))
        guard bytes.count >= MemoryLayout<sa_family_t>.size else { return nil }
        switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where bytes.count >= MemoryLayout<sockaddr_in>.size:
            let address = bytes.loadUnaligned(as: sockaddr_in.self)
            self = .ipv4(UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
            var address = bytes.loadUnaligned(as: sockaddr_in6.self)
            let number = withUnsafeBytes(of: &address.sin6_addr) { $0.loadUnaligned(as: UInt128.self) }
            self = .ipv6(UInt128(bigEndian: number), port: UInt16(bigEndian: address.sin6_port))
        case AF_UNIX:
            let path = bytes.dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 }
            guard !path.isEmpty else { return nil }
            self = .unix(path: String(decoding: path, as: UTF8.self))
        default:
            return nil
        }
    }

    /// The address a socket is bound to, with the port that the system chose.
    static func bound(to descriptor: borrowing Descriptor) throws(NetError) -> SocketAddress {
        let number = descriptor.number
        let address: SocketAddress? = withRoom { base, room in
            var count = socklen_t(room.count)
            return getsockname(number, base, &count) == 0 ? SocketAddress(base, count: count) : nil
        }
        guard let address else {
            throw .system(action: "name", subject: "descriptor \(number)", code: errno)
        }
        return address
    }
}
