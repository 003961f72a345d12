import Glibc

@testable import HailNet

/// An HTTP client that sends exactly the bytes it is told to.
final class RawClient {
    struct Answer: Equatable {
        var status: Int
        var head: String
        var body: String

        func has(_ line: String) -> Bool { head.lowercased().contains("\r\n" + line.lowercased() + "\r\n") }
    }

    private let descriptor: Descriptor
    private var buffer: [UInt8] = []

    init(_ address: SocketAddress, timeoutSeconds: Int = 20) throws {
        let number = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let descriptor = Descriptor(owning: number)
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let code = address.withSocketAddress { connect(number, $0, $1) == 0 ? 0 : errno }
        guard code == 0 else { throw NetError.system(action: "connect to", subject: "\(address)", code: code) }
        self.descriptor = descriptor
    }

    /// Writes all of it; false once the server has closed.
    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The next answer, or nil where the connection ended or nothing came in time.
    func read(toHead: Bool = false) -> Answer? {
        let gap = Array("\r\n\r\n".utf8)
        while true {
            if let end = buffer.indices.first(where: { buffer[$0...].starts(with: gap) }) {
                let head = String(decoding: buffer[..<(end + 4)], as: UTF8.self)
                let status = Int(head.split(separator: " ")[1]) ?? 0
                var length = 0
                for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length:") {
                    length = Int(line.dropFirst(15).drop { $0 == " " }) ?? 0
                }
                if toHead || status == 100 { length = 0 }
                if buffer.count >= end + 4 + length {
                    let body = String(decoding: buffer[(end + 4)..<(end + 4 + length)], as: UTF8.self)
                    buffer.removeFirst(end + 4 + length)
                    return Answer(status: status, head: head, body: body)
                }
            }
            guard fill() else { return nil }
        }
    }

    /// Whether the server ends the connection, rather than stays silent.
    func isClosedByServer() -> Bool {
        while true {
            var room = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor.number, &room, room.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
            if count < 0 { return false }
        }
    }

    private func fill() -> Bool {
        var room = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor.number, &room, room.count, 0)
        guard count > 0 else { return false }
        buffer += room[..<count]
        return true
    }
}
