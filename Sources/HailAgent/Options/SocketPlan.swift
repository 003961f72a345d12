import HailNet

/// Which sockets the agent opens and which of those it was handed over take the place of some.
struct SocketPlan: Equatable, Sendable {
    /// What one option comes to.
    struct Places: Equatable, Sendable {
        var opened: [SocketAddress]
        var handed: [HandedSocket] = []
    }

    private(set) var udp: Places
    private(set) var tcp: Places
    private(set) var http: Places

    /// Gives every socket that was handed over its option: by its name, if that is `udp`, `tcp` or `http`, or else by
    /// its type and an address that the option names.
    ///
    /// Where sockets go by name, what the option has by default alone is not opened beside them.
    init(_ options: AgentOptions, handed: [HandedSocket]) throws(HandoverError) {
        (udp, tcp, http) = (Places(opened: options.udp), Places(opened: options.tcp), Places(opened: options.http))
        for socket in handed {
            guard socket.kind != .other else { throw .unfit(socket) }
            guard let address = socket.address else { throw .unnamed(socket) }
            guard let option = SocketPlan.option(named: socket.name) else {
                guard let option = SocketPlan.option(of: socket, at: address, options) else { throw .unwanted(socket) }
                self[keyPath: option.places].handed.append(socket)
                continue
            }
            guard option.kind == socket.kind else { throw .wrongType(socket) }
            let isGiven = options.given[option.name] != nil
            if isGiven, options[keyPath: option.addresses].isEmpty { throw .unwanted(socket) }
            self[keyPath: option.places].handed.append(socket)
            if !isGiven { self[keyPath: option.places].opened = [] }
        }
        for option in SocketPlan.options {
            let taken = self[keyPath: option.places].handed.map(\.address)
            self[keyPath: option.places].opened.removeAll { taken.contains($0) }
        }
    }

    private typealias Option = (
        name: String, kind: HandedSocket.Kind, places: WritableKeyPath<SocketPlan, Places>,
        addresses: KeyPath<AgentOptions, [SocketAddress]>
    )

    private static var options: [Option] {
        [
            ("udp", .datagram, \.udp, \.udp), ("tcp", .listener, \.tcp, \.tcp), ("http", .listener, \.http, \.http),
        ]
    }

    private static func option(named name: String) -> Option? { options.first { $0.name == name } }

    private static func option(of socket: HandedSocket, at address: SocketAddress, _ options: AgentOptions) -> Option? {
        SocketPlan.options.first { option in
            option.kind == socket.kind && options[keyPath: option.addresses].contains(address)
        }
    }
}

/// Why a socket that was handed over cannot be used; every case ends with exit code 64.
enum HandoverError: Error, Equatable {
    /// What the environment says of them makes no sense.
    case malformed(String)
    /// No socket, or of a type that nothing here takes.
    case unfit(HandedSocket)
    /// Its address is none of IPv4, IPv6 and a unix path.
    case unnamed(HandedSocket)
    /// No option names its address.
    case unwanted(HandedSocket)
    /// It is named for an option that takes another type.
    case wrongType(HandedSocket)
}

extension HandoverError: CustomStringConvertible {
    var description: String {
        switch self {
        case .malformed(let reason): reason
        case .unfit(let socket):
            "\(HandoverError.name(socket)) is neither a datagram socket nor one that listens for connections"
        case .unnamed(let socket):
            "\(HandoverError.name(socket)) has no address of IPv4, IPv6 or a unix path"
        case .unwanted(let socket):
            "\(HandoverError.name(socket)) is at an address that "
                + (socket.kind == .datagram ? "--udp does not name" : "neither --tcp nor --http names")
                + "; name it there, or set FileDescriptorName=udp, tcp or http in the socket unit"
        case .wrongType(let socket):
            "\(HandoverError.name(socket)) is \(socket.kind == .datagram ? "a datagram" : "a stream") socket, which "
                + "--\(socket.name) does not take"
        }
    }

    private static func name(_ socket: HandedSocket) -> String {
        let place = socket.address.map { " (\($0))" } ?? ""
        return "the socket handed over as descriptor \(socket.number), \(Log.quoted(socket.name)),\(place)"
    }
}
