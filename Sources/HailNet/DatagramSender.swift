internal import Glibc

/// Sends datagrams to one address and waits where the system makes it wait.
///
/// For one thread.
///
/// A unix receiver that is behind holds the sender up; over UDP nothing does, and a lost datagram is not noticed
/// unless nobody listens.
package struct DatagramSender: ~Copyable {
    package let address: SocketAddress
    /// Datagrams the system took.
    package private(set) var sentCount: UInt64 = 0
    /// Datagrams of which the system said that nobody listens (`ECONNREFUSED`).
    ///
    /// Over UDP it says so a moment after it took the datagram, and such a one is counted as sent as well.
    package private(set) var refusedCount: UInt64 = 0

    private let descriptor: Descriptor

    package init(to address: SocketAddress) throws(NetError) {
        let number = socket(address.family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .system(action: "open a socket for", subject: "\(address)", code: errno) }
        let descriptor = Descriptor(owning: number)
        let code = address.withSocketAddress { connect(number, $0, $1) == 0 ? 0 : errno }
        guard code == 0 else { throw .system(action: "send to", subject: "\(address)", code: code) }
        self.descriptor = descriptor
        self.address = address
    }

    /// Sends one datagram.
    ///
    /// - Throws: `system`, for one: with `EMSGSIZE` where the datagram is too long.
    package mutating func send(_ bytes: UnsafeRawBufferPointer) throws(NetError) {
        // Over UDP a refusal that is reported now was of an earlier datagram: this one is tried again.
        for _ in 0..<3 {
            var count = 0
            repeat {
                count = Glibc.send(descriptor.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            } while count < 0 && (errno == EINTR || errno == ENOBUFS)
            if count >= 0 {
                sentCount += 1
                return
            }
            guard errno == ECONNREFUSED else { throw .system(action: "send to", subject: "\(address)", code: errno) }
            refusedCount += 1
            if case .unix = address { return }
        }
    }

    /// Sends one datagram.
    package mutating func send(_ bytes: [UInt8]) throws(NetError) {
        // Typed errors do not pass through withUnsafeBytes of every library version.
        let result: Result<Void, NetError> = bytes.withUnsafeBytes { raw in
            do throws(NetError) {
                try send(raw)
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    /// Counts a refusal that the system has learnt of since the last send.
    package mutating func noteLateRefusal() {
        if SocketOption.value(of: SO_ERROR, on: descriptor) == ECONNREFUSED { refusedCount += 1 }
    }
}
