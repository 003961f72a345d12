import Dispatch
import Glibc

/// A listening socket of the loopback address that answers connections with given bytes: what no agent would say.
///
/// It is gone when it has had its connections, or after ten minutes without one: other tests may hold the threads that
/// the client's tasks need.
struct AnswerServer {
    /// What it does with each connection.
    enum Manner {
        /// Reads a request, answers and hangs up.
        case say(String)
        /// Reads a request and says nothing until the client has left.
        case stall
    }

    let port: Int

    /// Serves so many connections, one after the other.
    init(_ manner: Manner, connections: Int = 1) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        AnswerServer.awaitAtMost(seconds: 600, on: listener)
        port = AnswerServer.bound(listener)
        listen(listener, 16)
        DispatchQueue(label: "answer-server").async {
            for _ in 0..<connections {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                AnswerServer.awaitAtMost(seconds: 600, on: connection)
                var request: [UInt8] = []
                var bytes = [UInt8](repeating: 0, count: 65_536)
                while !request.suffix(4).elementsEqual("\r\n\r\n".utf8) {
                    let count = recv(connection, &bytes, bytes.count, 0)
                    guard count > 0 else { break }
                    request += bytes[..<count]
                }
                switch manner {
                case .say(let text):
                    _ = Array(text.utf8).withUnsafeBytes {
                        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                case .stall: while recv(connection, &bytes, bytes.count, 0) > 0 {}
                }
                close(connection)
            }
            close(listener)
        }
    }

    /// A port of the loopback address on which nobody listens.
    static func deadPort() -> Int {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(number) }
        return bound(number)
    }

    private static func awaitAtMost(seconds: Int, on number: Int32) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Binds a socket to a free port of the loopback address.
    private static func bound(_ number: Int32) -> Int {
        var room = [UInt8](repeating: 0, count: 16)
        room[0] = UInt8(AF_INET)
        room.replaceSubrange(4..<8, with: [127, 0, 0, 1])
        var count = socklen_t(16)
        return room.withUnsafeMutableBytes { raw in
            let base = raw.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            bind(number, base, count)
            getsockname(number, base, &count)
            return Int(raw[2]) << 8 | Int(raw[3])
        }
    }
}
