import Glibc
import Testing

@testable import HailAgent

@Suite("Send command")
struct SendCommandTests {
    @Test("packs lines into datagrams of at most 1,432 bytes, in order, and counts them")
    func packs() {
        let stage = Stage()
        let lines = (0..<1_000).map { "api.users.get\($0):1|c" }
        let text = Array((lines.joined(separator: "\n") + "\r\n\n").utf8)
        stage.input = stride(from: 0, to: text.count, by: 777).map { Array(text[$0..<min($0 + 777, text.count)]) }
        #expect(stage.run("send") == 0)
        #expect(stage.datagrams.allSatisfy { $0.count <= 1_432 })
        #expect(stage.datagrams.dropLast().allSatisfy { $0.count > 1_400 })
        #expect(
            stage.datagrams.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n").split(separator: "\n")
                .map(String.init) == lines)
        #expect(
            stage.errorOutput == "hailwhale: sent 1000 lines in \(stage.datagrams.count) datagrams to 127.0.0.1:8125; "
                + "refused 0 lines, 0 datagrams\n")
    }

    @Test("sends a long line alone and refuses what no datagram can hold")
    func long() {
        let stage = Stage()
        let lines = [
            "a:1|c", String(repeating: "b", count: 2_000), "c:1|c", String(repeating: "d", count: 65_508),
            String(repeating: "e", count: 200_000), "f:1|c",
        ]
        stage.input = [Array(lines.joined(separator: "\n").utf8)]
        #expect(stage.run("send", "--to", "[::1]:9") == 1)
        #expect(stage.datagrams.map(\.count) == [5, 2_000, 11])
        #expect(stage.errorOutput.contains("sent 4 lines in 3 datagrams to [::1]:9; refused 2 lines, 0 datagrams"))
    }

    @Test("counts the lines of a datagram that the system refuses")
    func refused() {
        let stage = Stage()
        stage.refusedDatagrams = [0]
        stage.input = [Array("a:1|c\nb:1|c\n".utf8)]
        #expect(stage.run("send") == 1)
        #expect(stage.errorOutput.contains("sent 0 lines in 0 datagrams"))
        #expect(stage.errorOutput.contains("refused 2 lines, 1 datagrams (Connection refused)"))
    }

    @Test("says where nobody is and where its input breaks off")
    func unavailable() {
        let stage = Stage()
        #expect(stage.run("send", "--to", "unknown.invalid:1") == 69)
        #expect(stage.errorOutput.contains("unknown.invalid:1 cannot be reached: Name or service not known"))
        let broken = Stage()
        broken.input = [Array("a:1|c\n".utf8), nil]
        #expect(broken.run("send") == 74)
        #expect(broken.datagrams == [Array("a:1|c".utf8)])
    }

    @Test("reaches a real socket")
    func socket() throws {
        let receiver = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(receiver) }
        let port = try Loopback.bind(receiver)
        let target = try #require(DatagramTarget(parsing: "localhost:\(port)"))
        let sender = try CommandSocket(to: target)
        try sender.send(Array("a:1|c".utf8))
        #expect(BlockingIO.read(from: receiver) == Array("a:1|c".utf8))
        #expect(throws: SystemError.self) { try sender.send([UInt8](repeating: 0x61, count: 70_000)) }
    }
}

/// Sockets of tests on 127.0.0.1.
enum Loopback {
    /// Binds a socket to a free port and says which.
    static func bind(_ descriptor: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        try #require(code == 0)
        return UInt16(bigEndian: address.sin_port)
    }
}
