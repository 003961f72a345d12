import HailNet
import Testing

@testable import HailAgent

@Suite("Socket plan")
struct SocketPlanTests {
    private static let ours = SocketAddress.ipv4(0x7F00_0001, port: 8125)
    private static let web = SocketAddress.ipv4(0x7F00_0001, port: 8085)
    private static let else4 = SocketAddress.ipv4(0x0A00_0001, port: 9)
    private static let six = SocketAddress.ipv6(1, port: 8125)
    private static let file = SocketAddress.unix(path: "/run/h.sock")

    private static func handed(
        _ kind: HandedSocket.Kind, _ address: SocketAddress?, name: String = "", number: Int32 = 3
    ) -> HandedSocket {
        HandedSocket(number: number, name: name, kind: kind, address: address)
    }

    private func plan(_ arguments: [String], _ handed: [HandedSocket]) throws -> SocketPlan {
        let options = try AgentOptions.parse(arguments: arguments, environment: [:]) { _ throws(SystemError) in [] }
        return try SocketPlan(options, handed: handed)
    }

    @Test("opens every address where nothing was handed over")
    func nothing() throws {
        let plan = try plan(["--udp", "[::1]:8125,unix:/run/h.sock"], [])
        #expect(plan.udp == SocketPlan.Places(opened: [Self.six, Self.file]))
        #expect(plan.http == SocketPlan.Places(opened: [Self.web]))
        #expect(plan.tcp == SocketPlan.Places(opened: []))
    }

    @Test("gives sockets to the options that name their type and address, and opens the rest")
    func addresses() throws {
        let sockets = [
            Self.handed(.datagram, Self.ours, number: 3), Self.handed(.listener, Self.web, number: 4),
            Self.handed(.datagram, Self.ours, number: 5), Self.handed(.listener, Self.file, number: 6),
            Self.handed(.datagram, Self.file, name: "hailwhale.socket", number: 7),
        ]
        let plan = try plan(
            ["--udp", "127.0.0.1:8125,[::1]:8125,unix:/run/h.sock", "--tcp", "unix:/run/h.sock,127.0.0.1:8125"], sockets
        )
        #expect(plan.udp == SocketPlan.Places(opened: [Self.six], handed: [sockets[0], sockets[2], sockets[4]]))
        #expect(plan.tcp == SocketPlan.Places(opened: [Self.ours], handed: [sockets[3]]))
        #expect(plan.http == SocketPlan.Places(opened: [], handed: [sockets[1]]))
    }

    @Test("lets a name stand in for the defaults of its option, not for addresses that were given")
    func names() throws {
        let socket = Self.handed(.datagram, Self.else4, name: "udp")
        #expect(try plan([], [socket]).udp == SocketPlan.Places(opened: [], handed: [socket]))
        #expect(
            try plan(["--udp", "127.0.0.1:8125"], [socket]).udp
                == SocketPlan.Places(opened: [Self.ours], handed: [socket]))
        #expect(try plan([], [socket]).http == SocketPlan.Places(opened: [Self.web]))
        let stream = Self.handed(.listener, Self.else4, name: "tcp")
        #expect(try plan([], [stream]).tcp == SocketPlan.Places(opened: [], handed: [stream]))
    }

    @Test(
        "refuses what fits nothing",
        arguments: [
            ([], handed(.datagram, else4), HandoverError.unwanted(handed(.datagram, else4))),
            // An address of one type is none of the other.
            ([], handed(.listener, ours), .unwanted(handed(.listener, ours))),
            ([], handed(.datagram, web), .unwanted(handed(.datagram, web))),
            (["--udp", "none"], handed(.datagram, ours, name: "udp"), .unwanted(handed(.datagram, ours, name: "udp"))),
            (["--udp", "none"], handed(.datagram, ours), .unwanted(handed(.datagram, ours))),
            ([], handed(.datagram, ours, name: "http"), .wrongType(handed(.datagram, ours, name: "http"))),
            ([], handed(.listener, web, name: "udp"), .wrongType(handed(.listener, web, name: "udp"))),
            ([], handed(.other, ours, name: "udp"), .unfit(handed(.other, ours, name: "udp"))),
            ([], handed(.datagram, nil, name: "udp"), .unnamed(handed(.datagram, nil, name: "udp"))),
        ] as [([String], HandedSocket, HandoverError)])
    func refused(arguments: [String], socket: HandedSocket, error: HandoverError) {
        #expect(throws: error) { try plan(arguments, [socket]) }
        #expect("\(error)".contains("descriptor 3") && "\(error)".contains("\"\(socket.name)\""))
    }
}
