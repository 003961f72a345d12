internal import Glibc

/// A socket that the program was started with, by the protocol of sd_listen_fds(3).
package struct HandedSocket: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case datagram
        /// A stream socket that takes connections.
        case listener
        /// No socket, or one for something else.
        case other
    }

    package let number: Int32
    /// Of `FileDescriptorName=`: the name of the socket unit where that says nothing.
    package let name: String
    package let kind: Kind
    /// Nil where it is none of IPv4, IPv6 or a unix path.
    package let address: SocketAddress?

    package init(number: Int32, name: String, kind: Kind, address: SocketAddress?) {
        self.number = number
        self.name = name
        self.kind = kind
        self.address = address
    }

    /// The first descriptor that is handed over.
    private static let firstNumber: Int32 = 3
    private static let mostSockets: Int32 = 1_024

    /// Takes what was handed over to this process and clears the environment of it; children inherit neither.
    ///
    /// Called once, before there are other threads. What was meant for another process is left out.
    ///
    /// - Throws: `badHandover`.
    package static func takeAll() throws(NetError) -> [HandedSocket] {
        try all(process: taken("LISTEN_PID"), count: taken("LISTEN_FDS"), names: taken("LISTEN_FDNAMES"))
    }

    /// What three variables say.
    static func all(process: String?, count: String?, names: String?) throws(NetError) -> [HandedSocket] {
        guard let process, let count, process == "\(getpid())" else { return [] }
        guard let count = Int32(count), (0...mostSockets).contains(count) else {
            throw .badHandover("LISTEN_FDS is \"\(count)\", no number from 0 to \(mostSockets)")
        }
        let list = names?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
        return (0..<count).map { place in
            HandedSocket(
                firstNumber + place, name: list.indices.contains(Int(place)) ? list[Int(place)] : "")
        }
    }

    private static func taken(_ variable: String) -> String? {
        defer { unsetenv(variable) }
        return getenv(variable).map { String(cString: $0) }
    }

    private init(_ number: Int32, name: String) {
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        // Looked at, not owned: whoever adopts it closes it.
        let descriptor = Descriptor(owning: number)
        let type = SocketOption.value(of: SO_TYPE, on: descriptor)
        let kind: Kind
        if type == Int32(SOCK_DGRAM.rawValue) {
            kind = .datagram
        } else if type == Int32(SOCK_STREAM.rawValue), SocketOption.value(of: SO_ACCEPTCONN, on: descriptor) == 1 {
            kind = .listener
        } else {
            kind = .other
        }
        self.init(number: number, name: name, kind: kind, address: try? SocketAddress.bound(to: descriptor))
        _ = descriptor.release()
    }
}
