import Glibc
import Testing

@testable import HailNet

@Suite("Handed socket")
struct HandedSocketTests {
    private let own = "\(getpid())"

    @Test("is none where nothing was handed over, or to another process")
    func others() throws {
        #expect(try HandedSocket.all(process: nil, count: nil, names: nil) == [])
        #expect(try HandedSocket.all(process: "\(getpid() + 1)", count: "2", names: nil) == [])
        #expect(try HandedSocket.all(process: nil, count: "2", names: nil) == [])
        #expect(try HandedSocket.all(process: own, count: nil, names: nil) == [])
        #expect(try HandedSocket.all(process: own, count: "0", names: "a:b") == [])
    }

    @Test("is refused where its count is no count", arguments: ["-1", "x", "", "1025", "99999999999"])
    func counts(text: String) {
        #expect(throws: NetError.self) { try HandedSocket.all(process: own, count: text, names: nil) }
    }

    @Test("that listens is adopted with what waits in it, and refused where it does not listen")
    func listeners() throws {
        let original = try ListeningSocket(on: .ipv4(0x7F00_0001, port: 0))
        let adopted = try ListeningSocket(adopting: dup(original.descriptor.number))
        #expect(adopted.address == original.address)
        #expect(fcntl(adopted.descriptor.number, F_GETFD) == FD_CLOEXEC)
        let silent = Descriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        #expect(throws: NetError.self) { try ListeningSocket(adopting: silent.number) }
        // Refused and left open.
        #expect(fcntl(silent.number, F_GETFD) >= 0)
    }

    @Test("keeps its file when the one who adopted it is done")
    func files() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/d.sock"
        let original = try DatagramSocket.bind(.unix(path: path), lanes: 1)[0]
        do { #expect(try DatagramSocket(adopting: dup(original.descriptor.number)).isHanded) }
        #expect(access(path, F_OK) == 0)
        #expect(!original.isHanded)
    }

    @Test("starts the count of drops from where the kernel's stands")
    func drops() {
        var count = KernelDropCount(from: 4_294_967_290)
        count.take(4_294_967_290)
        #expect(count.total == 0)
        count.take(4)
        #expect(count.total == 10)
    }

    @Test("names the remedy of its own unit where its buffer is small")
    func remedies() {
        #expect(ReceiveBuffer(bytes: 8 << 20).handedRemedy == nil)
        #expect(ReceiveBuffer(bytes: 425_984).handedRemedy == "ReceiveBuffer=4M in the socket unit")
    }
}
