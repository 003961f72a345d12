internal import CIngest
internal import Glibc

/// A bound UDP or unix datagram socket; it is closed when the last reference goes.
package final class DatagramSocket: Sendable {
    /// The address it is bound to, with the port that the system chose.
    package let address: SocketAddress
    package let receiveBuffer: ReceiveBuffer

    /// Whether it is a unix socket, not UDP.
    package var isUnix: Bool { if case .unix = address { true } else { false } }

    /// Whether it was handed over: what comes after this process waits in it for the next one.
    package let isHanded: Bool
    /// Datagrams that the kernel dropped at a socket that was handed over, before this process had it (modulo 2³²).
    package let dropsBefore: UInt32

    let descriptor: Descriptor
    /// nil unless this is a unix socket that was bound here.
    private let file: SocketFile?

    private init(_ descriptor: consuming Descriptor, file: SocketFile?, isHanded: Bool = false) throws(NetError) {
        address = try SocketAddress.bound(to: descriptor)
        receiveBuffer =
            isHanded ? ReceiveBuffer(raisingHanded: descriptor) : ReceiveBuffer(raising: descriptor)
        self.isHanded = isHanded
        dropsBefore = isHanded ? DatagramSocket.kernelDrops(at: descriptor) ?? 0 : 0
        let flags = fcntl(descriptor.number, F_GETFL)
        guard flags >= 0, fcntl(descriptor.number, F_SETFL, flags | O_NONBLOCK) == 0 else {
            throw .system(action: "set up", subject: "\(address)", code: errno)
        }
        self.file = file
        self.descriptor = descriptor
    }

    /// Takes over an open, bound datagram socket, such as one that the program was started with.
    ///
    /// The file of a unix socket stays with whoever made it.
    package convenience init(adopting number: Int32) throws(NetError) {
        let descriptor = Descriptor(owning: number)
        guard SocketOption.value(of: SO_TYPE, on: descriptor) == Int32(SOCK_DGRAM.rawValue) else {
            _ = descriptor.release()
            throw .system(action: "adopt", subject: "descriptor \(number), no datagram socket,", code: ENOTSOCK)
        }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        try self.init(descriptor, file: nil, isHanded: true)
    }

    /// Binds one socket a lane to the same address; the kernel spreads senders over them.
    ///
    /// A unix socket has one lane whatever was asked for.
    ///
    /// - Throws: `addressInUse`, `notASocket`, `system`.
    package static func bind(_ address: SocketAddress, lanes: Int) throws(NetError) -> [DatagramSocket] {
        precondition(lanes > 0, "an address has at least one lane")
        // The first lane binds alone and opens the port to the others afterwards. So a second agent on the same
        // port is refused; were SO_REUSEPORT set before, the two would share the traffic and not know it.
        let first = try open(address)
        if case .unix(let path) = address { try SocketFile.clear(path: path, type: SOCK_DGRAM) }
        try bind(first, to: address)
        if case .unix = address { return [try DatagramSocket(first, file: SocketFile(of: address))] }
        if lanes > 1 { try share(first, address) }
        var sockets = [try DatagramSocket(first, file: nil)]
        let shared = sockets[0].address
        while sockets.count < lanes {
            let next = try open(shared)
            try share(next, shared)
            try bind(next, to: shared)
            sockets.append(try DatagramSocket(next, file: nil))
        }
        return sockets
    }

    /// Datagrams that the kernel dropped at this socket (modulo 2³²), or nil where it does not say.
    var kernelDrops: UInt32? { DatagramSocket.kernelDrops(at: descriptor) }

    private static func kernelDrops(at descriptor: borrowing Descriptor) -> UInt32? {
        var drops: UInt32 = 0
        return ingest_socket_drops(descriptor.number, &drops) == 0 ? drops : nil
    }

    deinit { file?.remove() }

    private static func open(_ address: SocketAddress) throws(NetError) -> Descriptor {
        let number = socket(address.family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .system(action: "open a socket for", subject: "\(address)", code: errno) }
        let descriptor = Descriptor(owning: number)
        if case .ipv6 = address {
            SocketOption.set(IPV6_V6ONLY, to: 1, level: Int32(IPPROTO_IPV6), on: descriptor)
        }
        return descriptor
    }

    private static func share(_ descriptor: borrowing Descriptor, _ address: SocketAddress) throws(NetError) {
        guard SocketOption.set(SO_REUSEPORT, to: 1, on: descriptor) else {
            throw .system(action: "open several lanes on", subject: "\(address)", code: errno)
        }
    }

    private static func bind(_ descriptor: borrowing Descriptor, to address: SocketAddress) throws(NetError) {
        let number = descriptor.number
        let code = address.withSocketAddress { Glibc.bind(number, $0, $1) == 0 ? 0 : errno }
        if code == EADDRINUSE { throw .addressInUse("\(address)") }
        guard code == 0 else { throw .system(action: "listen on", subject: "\(address)", code: code) }
    }
}
