internal import CIngest

/// How near a peer is, by its address.
///
/// A smaller class is the more trusted one.
///
/// The address of a datagram can be forged: `private` is convenience, not authentication.
package enum PeerClass: UInt8, Comparable, Sendable, CaseIterable {
    /// This machine: 127/8, `::1`, a unix socket.
    case loopback = 0
    /// A network of one's own: RFC 1918, 169.254/16, fc00::/7, fe80::/10.
    case `private` = 1
    /// Everybody else, and whoever is not known to be nearer.
    case any = 2

    /// The class of an address.
    package init(of address: SocketAddress) {
        self = address.withSocketAddress { pointer, count in
            PeerClass(rawValue: ingest_peer_class(pointer, Int(count))) ?? .any
        }
    }

    package static func < (left: PeerClass, right: PeerClass) -> Bool { left.rawValue < right.rawValue }
}
