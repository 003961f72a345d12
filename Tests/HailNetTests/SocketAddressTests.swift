import Testing

@testable import HailNet

@Suite("Socket address")
struct SocketAddressTests {
    @Test(
        "reads and prints",
        arguments: [
            ("127.0.0.1:8125", "127.0.0.1:8125", PeerClass.loopback),
            ("localhost:8125", "127.0.0.1:8125", .loopback),
            ("0.0.0.0:0", "0.0.0.0:0", .any),
            ("255.255.255.255:65535", "255.255.255.255:65535", .any),
            ("[::1]:8125", "[::1]:8125", .loopback),
            ("[::]:0", "[::]:0", .any),
            ("[2001:DB8:0:0:0:0:0:1]:1", "[2001:db8::1]:1", .any),
            ("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.1]:1", .private),
            ("unix:/run/hail.sock", "unix:/run/hail.sock", .loopback),
        ])
    func reads(text: String, printed: String, peer: PeerClass) throws {
        let address = try SocketAddress(parsing: text)
        #expect(address.description == printed)
        #expect(try SocketAddress(parsing: printed) == address)
        #expect(PeerClass(of: address) == peer)
        #expect(address.withSocketAddress { SocketAddress($0, count: $1) } == address)
    }

    @Test(
        "is refused",
        arguments: [
            "", ":", ":8125", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
            "127.0.0.1:8125 ", " 127.0.0.1:8125", "127.0.0.1:0x50", "127.0.0.1:٨", "256.0.0.1:1", "127.1:1", "1:1",
            "::1:8125", "[::1]", "[::1]:", "[::1:8125", "::1]:8125", "[]:1", "[127.0.0.1]:1", "[fe80::1%lo]:1",
            "example.com:80", "unix:", "127.0.0.1\0:1", "unix:/a\0b",
            "unix:/" + String(repeating: "x", count: SocketAddress.pathBytes),
        ])
    func refuses(text: String) {
        #expect(throws: NetError.badAddress(text: text, allowed: SocketAddress.allowed)) {
            try SocketAddress(parsing: text)
        }
    }

    @Test(
        "has a class",
        arguments: [
            ("127.255.255.255", PeerClass.loopback), ("128.0.0.1", .any), ("126.255.255.255", .any),
            ("10.0.0.0", .private), ("10.255.255.255", .private), ("11.0.0.0", .any), ("9.255.255.255", .any),
            ("172.15.255.255", .any), ("172.16.0.0", .private), ("172.31.255.255", .private), ("172.32.0.0", .any),
            ("192.168.0.0", .private), ("192.167.255.255", .any), ("192.169.0.0", .any),
            ("169.254.1.1", .private), ("169.253.255.255", .any), ("8.8.8.8", .any), ("0.0.0.0", .any),
            ("[::1]", .loopback), ("[::2]", .any), ("[::]", .any), ("[fc00::1]", .private), ("[fdff::1]", .private),
            ("[fe00::1]", .any), ("[fbff::1]", .any), ("[fe80::1]", .private), ("[febf::1]", .private),
            ("[fec0::1]", .any), ("[::ffff:127.0.0.1]", .loopback), ("[::ffff:8.8.8.8]", .any),
            ("[::127.0.0.1]", .any), ("[64:ff9b::7f00:1]", .any),
        ])
    func classes(host: String, peer: PeerClass) throws {
        #expect(PeerClass(of: try SocketAddress(parsing: host + ":1")) == peer)
    }

    @Test("looks up the name of a host, and says so when there is none")
    func lookUp() throws {
        #expect(try SocketAddress.resolving("127.0.0.1:9") == .ipv4(0x7F00_0001, port: 9))
        #expect(throws: NetError.self) { try SocketAddress.resolving("no-such-host.invalid:9") }
        #expect(throws: NetError.self) { try SocketAddress.resolving("no-port") }
    }
}
