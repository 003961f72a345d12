import Dispatch
import Glibc
import Testing

@testable import HailNet

@Suite("Line listener")
struct LineListenerTests {
    /// What a listener handed over; its queue guards it.
    private final class Received: @unchecked Sendable {
        var texts: [String] = []
        var tooLong = 0
    }

    private let queue = DispatchQueue(label: "test.lines")

    private func listener(_ received: Received) throws -> LineListener {
        let listener = try LineListener(on: try SocketAddress(parsing: "127.0.0.1:0"), queue: queue) {
            text, peer, isTooLong in
            #expect(peer == .loopback)
            if isTooLong { received.tooLong += 1 } else { received.texts.append(String(decoding: text, as: UTF8.self)) }
        }
        listener.start()
        return listener
    }

    private func connect(_ address: SocketAddress) throws -> Int32 {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let code = address.withSocketAddress { Glibc.connect(number, $0, $1) }
        try #require(code == 0)
        return number
    }

    private func send(_ number: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        #expect(Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    }

    /// Waits until the listener has seen something, bounded.
    private func until(_ done: () -> Bool) {
        for _ in 0..<2_000 {
            if queue.sync(execute: done) { return }
            usleep(1_000)
        }
    }

    private func stop(_ listener: LineListener) {
        let stopped = DispatchSemaphore(value: 0)
        listener.stop { stopped.signal() }
        #expect(stopped.wait(timeout: .now() + 5) == .success)
    }

    @Test("hands over whole lines however they are cut on the way")
    func lines() throws {
        let received = Received()
        let listener = try listener(received)
        let client = try connect(listener.address)
        for piece in ["a:1|c\nb:", "2|", "c\nc:3|c\n", "last:4|c"] {
            send(client, piece)
            usleep(2_000)
        }
        close(client)
        until { received.texts.joined().contains("last") }
        #expect(queue.sync { received.texts.joined() } == "a:1|c\nb:2|c\nc:3|c\nlast:4|c")
        #expect(queue.sync { received.texts.allSatisfy { $0.hasSuffix("\n") || $0 == "last:4|c" } })
        stop(listener)
    }

    @Test("closes a connection whose line has no end, and says so once")
    func tooLong() throws {
        let received = Received()
        let listener = try listener(received)
        let client = try connect(listener.address)
        let bytes = [UInt8](repeating: 0x61, count: 80_000)
        _ = Glibc.send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        until { received.tooLong > 0 }
        #expect(queue.sync { received.tooLong } == 1)
        var room = [UInt8](repeating: 0, count: 1)
        // Closed by the other side: an end of file or a reset.
        #expect(recv(client, &room, 1, 0) <= 0)
        close(client)
        stop(listener)
    }

    @Test("takes the whole lines that have arrived when it stops, and not the beginning of one")
    func stopping() throws {
        let received = Received()
        let listener = try listener(received)
        let client = try connect(listener.address)
        send(client, "a:1|c\n")
        until { !received.texts.isEmpty }
        queue.sync { send(client, "b:2|c\nc:3") }
        stop(listener)
        #expect(queue.sync { received.texts.joined() } == "a:1|c\nb:2|c\n")
        close(client)
    }

    @Test("serves more connections than it holds at once, one after the other")
    func many() throws {
        let received = Received()
        let listener = try listener(received)
        var clients: [Int32] = []
        for number in 0..<(LineListener.mostConnections + 20) {
            let client = try connect(listener.address)
            send(client, "n\(number):1|c\n")
            clients.append(client)
        }
        until { received.texts.count >= LineListener.mostConnections }
        #expect(queue.sync { received.texts.count } == LineListener.mostConnections)
        for client in clients { close(client) }
        until { received.texts.count == clients.count }
        #expect(queue.sync { received.texts.count } == clients.count)
        stop(listener)
    }
}
