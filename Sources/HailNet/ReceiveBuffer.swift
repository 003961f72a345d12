internal import Glibc

/// How much a socket's receive buffer takes before the kernel drops datagrams.
package struct ReceiveBuffer: Equatable, Sendable {
    /// What the agent asks for.
    package static let wantedBytes = 4 << 20

    /// The real size in bytes as the kernel counts, its own overhead included: twice what was asked for.
    package let bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    /// Whether the kernel gave less than was asked for.
    package var isSmall: Bool { bytes < 2 * ReceiveBuffer.wantedBytes }

    /// The command that raises the bound, where the buffer is small.
    package var remedy: String? {
        isSmall ? "sysctl -w net.core.rmem_max=\(ReceiveBuffer.wantedBytes)" : nil
    }

    /// What raises it where the socket was handed over.
    package var handedRemedy: String? {
        isSmall ? "ReceiveBuffer=\(ReceiveBuffer.wantedBytes >> 20)M in the socket unit" : nil
    }

    /// Asks for a larger buffer of a socket that was handed over, and reads what it is.
    ///
    /// Only by right: who made the socket may have had more rights, and the ordinary way would cut what they gave it.
    init(raisingHanded descriptor: borrowing Descriptor) {
        let found = ReceiveBuffer(of: descriptor)
        if found.isSmall {
            SocketOption.set(SO_RCVBUFFORCE, to: Int32(ReceiveBuffer.wantedBytes), on: descriptor)
        }
        self.init(of: descriptor)
    }

    /// Asks for the largest buffer that is allowed, and reads what the kernel gave.
    init(raising descriptor: borrowing Descriptor) {
        let wanted = Int32(ReceiveBuffer.wantedBytes)
        if !SocketOption.set(SO_RCVBUFFORCE, to: wanted, on: descriptor) {
            SocketOption.set(SO_RCVBUF, to: wanted, on: descriptor)
        }
        self.init(of: descriptor)
    }

    /// Reads the size of a buffer.
    init(of descriptor: borrowing Descriptor) {
        bytes = Int(SocketOption.value(of: SO_RCVBUF, on: descriptor) ?? 0)
    }
}
