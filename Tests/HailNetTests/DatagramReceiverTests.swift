import Dispatch
import Glibc
import Synchronization
import Testing

@testable import HailNet

@Suite("Datagram receiver")
struct DatagramReceiverTests {
    /// What several lanes have seen.
    final class Tally: Sendable {
        let datagrams = Atomic<Int>(0)
        let bytes = Atomic<Int>(0)
        let truncated = Atomic<Int>(0)
        let strangers = Atomic<Int>(0)
        let largestBatch = Atomic<Int>(0)

        func take(_ batch: borrowing DatagramBatch) {
            for index in 0..<batch.count {
                let datagram = batch[index]
                bytes.add(datagram.bytes.count, ordering: .relaxed)
                if datagram.isTruncated { truncated.add(1, ordering: .relaxed) }
                if datagram.peer != .loopback { strangers.add(1, ordering: .relaxed) }
            }
            largestBatch.max(batch.count, ordering: .relaxed)
            datagrams.add(batch.count, ordering: .sequentiallyConsistent)
        }

        var count: Int { datagrams.load(ordering: .sequentiallyConsistent) }
    }

    struct Lane {
        let queue: DispatchQueue
        let receiver: DatagramReceiver

        init(_ socket: DatagramSocket, _ tally: Tally) throws {
            queue = DispatchQueue(label: "lane")
            receiver = try DatagramReceiver(socket, on: queue) { tally.take($0) }
        }

        var kernelDrops: Int {
            queue.sync {
                receiver.refreshKernelDrops()
                return Int(receiver.kernelDrops)
            }
        }

        func stop(drain: Bool) async {
            await withCheckedContinuation { done in receiver.stop(drain: drain) { done.resume() } }
        }
    }

    /// Waits for what another thread brings about; false after ten seconds.
    func eventually(_ isTrue: () -> Bool) async throws -> Bool {
        let deadline = Clock.nanoseconds + 10_000_000_000
        while !isTrue() {
            if Clock.nanoseconds > deadline { return false }
            try await Task.sleep(nanoseconds: 1_000_000)
        }
        return true
    }

    @Test("loses nothing of 20,000 paced datagrams over several lanes", arguments: ["127.0.0.1:0", "[::1]:0"])
    func lanes(text: String) async throws {
        let tally = Tally()
        let sockets = try DatagramSocket.bind(try SocketAddress(parsing: text), lanes: 3)
        #expect(Set(sockets.map(\.address)).count == 1)
        let lanes = try sockets.map { try Lane($0, tally) }
        for lane in lanes { lane.receiver.start() }
        var sent = 0
        // Many senders, since the kernel assigns a sender to a lane.
        for _ in 0..<20 {
            var sender = try DatagramSender(to: sockets[0].address)
            for _ in 0..<1_000 {
                try sender.send(Array("a.b:1|c".utf8))
                sent += 1
                while sent - tally.count > 500 { usleep(100) }
            }
        }
        #expect(try await eventually { tally.count == sent })
        #expect(sent == 20_000)
        #expect(tally.bytes.load(ordering: .relaxed) == 7 * sent)
        #expect(tally.strangers.load(ordering: .relaxed) == 0)
        #expect(lanes.map(\.kernelDrops) == [0, 0, 0])
        for lane in lanes { await lane.stop(drain: true) }
    }

    @Test("counts what the kernel drops while it is stalled: sent = received + dropped")
    func drops() async throws {
        let tally = Tally()
        let socket = try DatagramSocket.bind(.ipv4(0x7F00_0001, port: 0), lanes: 1)[0]
        let lane = try Lane(socket, tally)
        let gate = DispatchSemaphore(value: 0)
        lane.queue.async { gate.wait() }
        lane.receiver.start()
        var sender = try DatagramSender(to: socket.address)
        // Each is charged more than 768 bytes: twice what the buffer takes.
        let count = 2 * socket.receiveBuffer.bytes / NapPlan.chargedBytes
        for _ in 0..<count { try sender.send(Array("a.b:1|c".utf8)) }
        gate.signal()
        #expect(try await eventually { tally.count + lane.kernelDrops == count })
        #expect(lane.kernelDrops > 0)
        #expect(tally.count > 0)
        #expect(tally.largestBatch.load(ordering: .relaxed) == 64)
        await lane.stop(drain: true)
    }

    @Test("handles what was queued before a stop that drains")
    func drain() async throws {
        let tally = Tally()
        let socket = try DatagramSocket.bind(.ipv4(0x7F00_0001, port: 0), lanes: 1)[0]
        let address = socket.address
        let lane = try Lane(socket, tally)
        // Never started: all of it is still with the kernel.
        var sender = try DatagramSender(to: address)
        for _ in 0..<1_000 { try sender.send([1]) }
        await lane.stop(drain: true)
        #expect(tally.count == 1_000)
    }

    @Test("frees its port once it has stopped and is gone, and the queue runs other work meanwhile")
    func stop() async throws {
        let tally = Tally()
        let address = try await { () async throws -> SocketAddress in
            let lane = try Lane(try DatagramSocket.bind(.ipv4(0x7F00_0001, port: 0), lanes: 1)[0], tally)
            lane.receiver.start()
            var sender = try DatagramSender(to: lane.receiver.address)
            for _ in 0..<100 { try sender.send([]) }
            #expect(try await eventually { tally.count == 100 })
            #expect(lane.queue.sync { true })
            await lane.stop(drain: false)
            await lane.stop(drain: false)
            return lane.receiver.address
        }()
        let again = try DatagramSocket.bind(address, lanes: 1)
        #expect(again[0].address == address)
    }

    @Test("takes the longest datagram, the empty one, and long ones again after their memory was given back")
    func lengths() async throws {
        let tally = Tally()
        let lane = try Lane(try DatagramSocket.bind(.ipv4(0x7F00_0001, port: 0), lanes: 1)[0], tally)
        lane.receiver.start()
        var sender = try DatagramSender(to: lane.receiver.address)
        for round in 1...3 {
            try sender.send([UInt8](repeating: 65, count: 65_507))
            try sender.send([])
            #expect(try await eventually { tally.count == 2 * round })
        }
        #expect(tally.bytes.load(ordering: .relaxed) == 3 * 65_507)
        #expect(tally.truncated.load(ordering: .relaxed) == 0)
        await lane.stop(drain: true)
    }

    @Test("marks what a unix sender sends too long, and counts every unix sender as loopback")
    func unix() async throws {
        let scratch = try Scratch()
        let tally = Tally()
        let socket = try DatagramSocket.bind(.unix(path: scratch.path + "/a.sock"), lanes: 4)
        #expect(socket.count == 1)
        let lane = try Lane(socket[0], tally)
        lane.receiver.start()
        var sender = try DatagramSender(to: lane.receiver.address)
        try sender.send([UInt8](repeating: 65, count: 100_000))
        for _ in 0..<2_000 { try sender.send([1, 2]) }
        #expect(try await eventually { tally.count == 2_001 })
        #expect(tally.bytes.load(ordering: .relaxed) == 65_536 + 4_000)
        #expect(tally.truncated.load(ordering: .relaxed) == 1)
        #expect(tally.strangers.load(ordering: .relaxed) == 0)
        await lane.stop(drain: true)
    }
}
