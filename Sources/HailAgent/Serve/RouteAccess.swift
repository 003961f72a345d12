import HailNet

/// What a caller must be trusted with to reach a route.
enum RouteAccess: Equatable, Sendable {
    case everyone
    case read
    case write
}

extension Trust {
    /// Whether a caller of this class is trusted.
    func includes(_ caller: PeerClass) -> Bool {
        switch self {
        case .none: false
        case .loopback: caller == .loopback
        case .private: caller <= .private
        case .any: true
        }
    }
}
