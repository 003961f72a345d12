internal import Glibc

/// A connected stream to an agent; no call waits for longer than its patience.
struct StreamSocket: ~Copyable {
    private let number: Int32
    private let patience: Patience

    /// - Throws: `unreachable`, `cancelled`, `timedOut`.
    init(to endpoint: Endpoint, _ patience: Patience) throws(HailError) {
        var reason = "there is no such name or path"
        for address in endpoint.addresses(SOCK_STREAM) {
            let number = address.socket(SOCK_STREAM)
            guard number >= 0 else {
                reason = StreamSocket.reason(errno)
                continue
            }
            var code = address.connect(number)
            if code == EINPROGRESS {
                do throws(HailError) {
                    try patience.wait(for: POLLOUT, on: number)
                } catch {
                    close(number)
                    throw error
                }
                code = StreamSocket.outcome(of: number)
            }
            if code == 0 {
                self.number = number
                self.patience = patience
                return
            }
            reason = StreamSocket.reason(code)
            close(number)
        }
        try patience.check()
        throw .unreachable(reason)
    }

    deinit { close(number) }

    /// - Throws: `unreachable`, `cancelled`, `timedOut`.
    func send(_ bytes: [UInt8]) throws(HailError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try patience.wait(for: POLLOUT, on: number)
            } else if errno != EINTR {
                throw .unreachable(StreamSocket.reason(errno))
            }
        }
    }

    /// What came next, at most as much as `room` holds; 0 bytes where nothing will come any more.
    ///
    /// - Throws: `unreachable`, `cancelled`, `timedOut`.
    func receive(into room: inout [UInt8]) throws(HailError) -> ArraySlice<UInt8> {
        while true {
            let count = recv(number, &room, room.count, 0)
            if count >= 0 { return room[..<count] }
            if errno == EAGAIN {
                try patience.wait(for: POLLIN, on: number)
            } else if errno != EINTR {
                throw .unreachable(StreamSocket.reason(errno))
            }
        }
    }

    /// What became of a connection that was under way.
    private static func outcome(of number: Int32) -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
