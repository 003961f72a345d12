import Glibc

@testable import HailClient

/// A bound datagram socket that stands for an agent.
final class Receiver {
    private let descriptor: Int32
    /// The port, or 0 of a unix socket.
    let port: Int
    private let path: String?

    /// On a free port of the loopback address.
    init(family: Int32 = AF_INET) {
        descriptor = socket(family, Int32(SOCK_DGRAM.rawValue), 0)
        path = nil
        var room = [UInt8](repeating: 0, count: 28)
        room[0] = UInt8(family)
        // ::1 and 127.0.0.1 as a sockaddr_in6 and a sockaddr_in have them.
        if family == AF_INET6 { room[23] = 1 } else { room.replaceSubrange(4..<8, with: [127, 0, 0, 1]) }
        var count = socklen_t(family == AF_INET6 ? 28 : 16)
        let number = descriptor
        port = room.withUnsafeMutableBytes { raw in
            let base = raw.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            bind(number, base, count)
            getsockname(number, base, &count)
            return Int(raw[2]) << 8 | Int(raw[3])
        }
        awaitAtMost(seconds: 10)
    }

    /// At a path.
    init(path: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        port = 0
        self.path = path
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let number = descriptor
        withUnsafeBytes(of: &address) { raw in
            _ = bind(number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
        }
        awaitAtMost(seconds: 10)
    }

    deinit {
        close(descriptor)
        if let path { unlink(path) }
    }

    private func awaitAtMost(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// The next datagram; nil where none comes within ten seconds.
    func next() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : Array(bytes[..<count])
    }

    /// The lines of this many datagrams' worth, in order.
    func lines(_ count: Int) -> [String] {
        var lines: [String] = []
        while lines.count < count, let datagram = next() {
            lines += String(decoding: datagram, as: UTF8.self).split(separator: "\n").map(String.init)
        }
        return lines
    }

    /// A path for a unix socket that is not there yet.
    static func freePath() -> String { "/tmp/hail-client-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock" }
}
