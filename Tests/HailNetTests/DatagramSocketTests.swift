import Glibc
import Testing

@testable import HailNet

@Suite("Datagram socket")
struct DatagramSocketTests {
    let any = SocketAddress.ipv4(0x7F00_0001, port: 0)

    @Test("refuses a port that another agent has, be it with one lane or with several", arguments: [1, 2])
    func inUse(lanes: Int) throws {
        let held = try DatagramSocket.bind(any, lanes: lanes)
        for wanted in 1...2 {
            #expect(throws: NetError.addressInUse("\(held[0].address)")) {
                try DatagramSocket.bind(held[0].address, lanes: wanted)
            }
        }
    }

    @Test("leaves IPv4 of the same port to another socket when it has IPv6")
    func sixOnly() throws {
        let six = try DatagramSocket.bind(.ipv6(0, port: 0), lanes: 1)
        let port = try #require(six[0].address.port)
        let four = try DatagramSocket.bind(.ipv4(0, port: port), lanes: 1)
        #expect(four[0].address == .ipv4(0, port: port))
        let server = try HTTPServer(on: [.ipv6(0, port: 0)])
        let httpPort = try #require(server.addresses[0].port)
        #expect(try HTTPServer(on: [.ipv4(0, port: httpPort)]).addresses == [.ipv4(0, port: httpPort)])
    }

    @Test("tells the real size of its receive buffer, and the remedy where it is small")
    func buffer() throws {
        let socket = try DatagramSocket.bind(any, lanes: 1)[0]
        #expect(socket.receiveBuffer.bytes >= 2_048)
        #expect(ReceiveBuffer(bytes: 8 << 20).remedy == nil)
        #expect(ReceiveBuffer(bytes: 425_984).remedy == "sysctl -w net.core.rmem_max=4194304")
    }

    @Test("adopts an inherited descriptor and refuses another kind of file")
    func adopt() throws {
        let original = try DatagramSocket.bind(any, lanes: 1)[0]
        let adopted = try DatagramSocket(adopting: dup(original.descriptor.number))
        #expect(adopted.address == original.address)
        let stream = Descriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        #expect(throws: NetError.self) { try DatagramSocket(adopting: stream.number) }
        // Refused and left open.
        #expect(fcntl(stream.number, F_GETFD) >= 0)
    }

    @Test("replaces the file of a unix socket whose owner is gone, and neither a living one nor another file")
    func unixFile() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/d.sock"
        let leftOver = Descriptor(owning: socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0))
        let number = leftOver.number
        #expect(SocketAddress.unix(path: path).withSocketAddress { Glibc.bind(number, $0, $1) } == 0)
        #expect(throws: NetError.addressInUse("unix:\(path)")) {
            try DatagramSocket.bind(.unix(path: path), lanes: 1)
        }
        #expect(throws: NetError.addressInUse("unix:\(path)")) { try HTTPServer(on: [.unix(path: path)]) }
        _ = consume leftOver
        let socket = try DatagramSocket.bind(.unix(path: path), lanes: 1)
        #expect(socket[0].address == .unix(path: path))
        let file = scratch.path + "/file"
        close(creat(file, 0o600))
        #expect(throws: NetError.notASocket(path: file)) { try DatagramSocket.bind(.unix(path: file), lanes: 1) }
        #expect(access(file, F_OK) == 0)
    }

    @Test("removes its unix file when it is closed")
    func removesFile() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/d.sock"
        do {
            let socket = try DatagramSocket.bind(.unix(path: path), lanes: 1)
            #expect(access(path, F_OK) == 0)
            _ = socket
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test("leaves a unix file that another has put in its place")
    func foreignFile() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/d.sock"
        var first: [DatagramSocket]? = try DatagramSocket.bind(.unix(path: path), lanes: 1)
        unlink(path)
        let second = try DatagramSocket.bind(.unix(path: path), lanes: 1)
        #expect(first?.count == 1)
        first = nil
        #expect(access(path, F_OK) == 0)
        #expect(second.count == 1)
    }
}

@Suite("Datagram sender")
struct DatagramSenderTests {
    @Test("counts what nobody listens to")
    func refused() throws {
        let address: SocketAddress
        do {
            let socket = try DatagramSocket.bind(.ipv4(0x7F00_0001, port: 0), lanes: 1)[0]
            address = socket.address
        }
        var sender = try DatagramSender(to: address)
        for _ in 0..<3 { try sender.send([1]) }
        sender.noteLateRefusal()
        #expect(sender.sentCount == 3)
        #expect(sender.refusedCount == 3)
        #expect(throws: NetError.self) { try sender.send([UInt8](repeating: 0, count: 65_508)) }
    }

    @Test("says that a unix socket is not there")
    func missing() {
        #expect(throws: NetError.system(action: "send to", subject: "unix:/no/such", code: ENOENT)) {
            _ = try DatagramSender(to: .unix(path: "/no/such"))
        }
    }
}
