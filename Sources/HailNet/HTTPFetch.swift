internal import Glibc

/// One blocking `GET`, for the commands that ask an agent.
///
/// Plain HTTP over TCP or a unix socket.
package struct HTTPFetch: Sendable {
    package struct Answer: Equatable, Sendable {
        package let status: Int
        package let body: [UInt8]
    }

    package let address: SocketAddress
    /// Everything together may take this long.
    package var timeoutSeconds: Double
    /// Sent besides `Host`, such as `Authorization`.
    ///
    /// Names and values may not hold a line break.
    package var headers: [HTTPField]
    /// The longest answer that is taken.
    package var answerBytes = 256 << 20

    package init(_ address: SocketAddress, timeoutSeconds: Double = 10, headers: [HTTPField] = []) {
        self.address = address
        self.timeoutSeconds = timeoutSeconds
        self.headers = headers
    }

    /// Asks for a target, a path with its encoded query.
    ///
    /// - Throws: `system` where nobody answers the connection, `timedOut`, `badAnswer`.
    package func get(_ target: String) throws(NetError) -> Answer {
        let deadline = Clock.nanoseconds + UInt64(max(timeoutSeconds, 0) * 1e9)
        let descriptor = try connected(deadline)
        try send(request(target), over: descriptor, deadline)
        return try read(try receive(from: descriptor, deadline))
    }

    private func request(_ target: String) -> [UInt8] {
        // HTTP/1.0: the answer ends with the connection and is never chunked.
        var text = "GET \(target) HTTP/1.0\r\nHost: \(hostText)\r\n"
        for field in headers where !(field.name + field.value).utf8.contains(where: { $0 < 0x20 }) {
            text += "\(field.name): \(field.value)\r\n"
        }
        return Array((text + "\r\n").utf8)
    }

    private var hostText: String {
        guard let host = address.host, let port = address.port else { return "localhost" }
        return "\(host):\(port)"
    }

    private func connected(_ deadline: UInt64) throws(NetError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = socket(address.family, type, 0)
        guard number >= 0 else { throw .system(action: "open a socket for", subject: "\(address)", code: errno) }
        let descriptor = Descriptor(owning: number)
        var code = address.withSocketAddress { connect(number, $0, $1) == 0 ? 0 : errno }
        if code == EINPROGRESS {
            try wait(for: POLLOUT, on: descriptor, deadline)
            code = SocketOption.value(of: SO_ERROR, on: descriptor) ?? errno
        }
        guard code == 0 else { throw .system(action: "connect to", subject: "\(address)", code: code) }
        return descriptor
    }

    private func wait(
        for events: Int32, on descriptor: borrowing Descriptor, _ deadline: UInt64
    ) throws(NetError) {
        while true {
            let now = Clock.nanoseconds
            guard now < deadline else { throw .timedOut(subject: "\(address)") }
            var poll = pollfd(fd: descriptor.number, events: Int16(events), revents: 0)
            let left = Int32(clamping: (deadline - now) / 1_000_000 + 1)
            let count = Glibc.poll(&poll, 1, left)
            if count > 0 { return }
            guard count == 0 || errno == EINTR else {
                throw .system(action: "wait for", subject: "\(address)", code: errno)
            }
        }
    }

    private func send(
        _ bytes: [UInt8], over descriptor: borrowing Descriptor, _ deadline: UInt64
    ) throws(NetError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let number = descriptor.number
            let count = rest.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, on: descriptor, deadline)
            } else if errno != EINTR {
                throw .system(action: "send to", subject: "\(address)", code: errno)
            }
        }
    }

    private func receive(from descriptor: borrowing Descriptor, _ deadline: UInt64) throws(NetError) -> [UInt8] {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= answerBytes {
            let count = recv(descriptor.number, &room, room.count, 0)
            if count > 0 {
                bytes += room[..<count]
            } else if count == 0 {
                return bytes
            } else if errno == EAGAIN {
                try wait(for: POLLIN, on: descriptor, deadline)
            } else if errno != EINTR {
                throw .system(action: "read from", subject: "\(address)", code: errno)
            }
        }
        throw .badAnswer(subject: "\(address)", reason: "the answer is longer than \(answerBytes) bytes")
    }

    /// Reads status line, header fields and body.
    private func read(_ bytes: [UInt8]) throws(NetError) -> Answer {
        func bad(_ reason: String) -> NetError { .badAnswer(subject: "\(address)", reason: reason) }
        let gap = Array("\r\n\r\n".utf8)
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: gap) }) else {
            throw bad(bytes.isEmpty ? "the connection was closed" : "the header does not end")
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw bad("no status line")
        }
        let body = Array(bytes[(end + gap.count)...])
        for line in lines.dropFirst() {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, HTTPHeaders.same(String(halves[0]), "Content-Length") else { continue }
            guard let length = Int(halves[1].drop { $0 == " " }), length == body.count else {
                throw bad("the body is cut short")
            }
        }
        return Answer(status: status, body: body)
    }
}
