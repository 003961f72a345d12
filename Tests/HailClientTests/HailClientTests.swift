import Dispatch
import Glibc
import HailCore
import HailWire
import Testing

@testable import HailClient

@Suite("Client")
struct HailClientTests {
    private struct Row: Sendable, CustomTestStringConvertible {
        let lines: [String]
        let call: @Sendable (HailClient) -> Void

        init(_ lines: String..., call: @escaping @Sendable (HailClient) -> Void) {
            self.lines = lines
            self.call = call
        }

        var testDescription: String { lines.isEmpty ? "nothing" : lines[0] }
    }

    private static let rows = [
        Row("a.b.c:1|c") { $0.count("a.b.c") },
        Row("a.b:-2|c|#country:US,geo:US>CA,status:404") {
            $0.count("a.b", -2, ["status": 404, "geo": ["US", "CA"], "country": "US"])
        },
        Row("a.b:0.1|c") { $0.count("a.b", 0.1) },
        Row("a.b:1e-06|c") { $0.count("a.b", 0.000_001) },
        Row("a.b:9000000000000|c") { $0.count("a.b", 9_000_000_000_000) },
        Row("10%2E0%2E0%2E7.x%3Ay%7Cz%40:1|c") { $0.count(["10.0.0.7", "x:y|z@"]) },
        Row("a.b:1|c") { $0.count(".a..b.") },
        Row("a.b:1|c|#beta,url:http%3A%2F%2Fx%2C%3E") { $0.count("a.b", 1, ["beta": [], "url": "http://x,>"]) },
        Row("a.b:1|c|#überall:ja") { $0.count("a.b", 1, ["überall": "ja", "": "nobody"]) },
        Row("a.b:3|g") { $0.gauge("a.b", 3) },
        Row("a.b:0|g", "a.b:-3.5|g") { $0.gauge("a.b", -3.5) },
        Row("a.b:0|g|#k:v", "a.b:-3|g|#k:v") { $0.gauge("a.b", -3, ["k": "v"]) },
        Row("a.b:+3|g") { $0.gauge("a.b", by: 3) },
        Row("a.b:-3|g") { $0.gauge("a.b", by: -3) },
        Row("a.b:12.5|ms") { $0.timing("a.b", 12.5) },
        Row("a.b:1500.000001|ms") { $0.timing("a.b", .nanoseconds(1_500_000_001)) },
        Row("a.b:me@x%7Cy:z|s") { $0.distinct("a.b", "me@x|y:z") },
        Row("a.b:%257C%2525%100%|s") { $0.distinct("a.b", "%7C%25%100%") },
        Row("Product.42:revenue=12.5:sales=1|c|#country:US") {
            $0.event("Product.42", ["sales": 1, "revenue": 12.5], ["country": "US"])
        },
        Row("Product:hits=1|c|T1700000000") { $0.event("Product", at: 1_700_000_000) },
        Row("Product:a%2Fb=1|c") { $0.event("Product", ["a/b": 1]) },
    ]

    @Test("writes what happened as a line", arguments: rows)
    private func writes(row: Row) {
        let receiver = Receiver()
        let client = HailClient(host: "127.0.0.1", port: receiver.port)
        row.call(client)
        client.close()
        #expect(receiver.lines(row.lines.count) == row.lines)
        #expect(client.droppedCount == 0)
    }

    private static let silent = [
        Row { $0.count("") }, Row { $0.count("...") }, Row { $0.count(["", ""]) }, Row { $0.count([]) },
        Row { $0.count("a.b", .nan) }, Row { $0.gauge("a.b", -.infinity) }, Row { $0.gauge("a.b", by: .infinity) },
        Row { $0.timing("a.b", .nan) }, Row { $0.count("a.b", 1, rate: 0) }, Row { $0.count("a.b", 1, rate: 1.5) },
        Row { $0.count("a.b", 1, rate: .nan) }, Row { $0.timing("a.b", 1, rate: -1) },
        Row { $0.count("a\nb:1|c") }, Row { $0.count("a.b", 1, ["k": "v\nx:1|c"]) },
        Row { $0.count("a.b", 1, ["k\0": "v"]) }, Row { $0.distinct("a.b", "") }, Row { $0.distinct("a.b", "\u{7F}") },
        Row { $0.event("a", ["m": .infinity]) }, Row { $0.event("a", ["": 1]) }, Row { $0.event("") },
        Row { $0.event("a", ["m\r": 1]) }, Row { $0.distinct("a.b", String(repeating: "x", count: 65_507)) },
    ]

    @Test("drops and counts what no line can say", arguments: Array(silent.indices))
    func silence(index: Int) {
        let receiver = Receiver()
        let client = HailClient(host: "127.0.0.1", port: receiver.port)
        Self.silent[index].call(client)
        client.count("end.mark")
        client.close()
        #expect(receiver.lines(1) == ["end.mark:1|c"])
        #expect(client.droppedCount == 1)
    }

    @Test("packs lines to the size of a datagram, in order")
    func packs() throws {
        let receiver = Receiver()
        let client = HailClient(
            host: "127.0.0.1", port: receiver.port, options: HailOptions(flushMilliseconds: 60_000))
        for number in 0..<500 { client.count(HailName("pack.n\(number)"), number) }
        client.close()
        var lines: [String] = []
        while lines.count < 500 {
            let datagram = try #require(receiver.next())
            #expect(datagram.count <= 1_432)
            lines += String(decoding: datagram, as: UTF8.self).split(separator: "\n").map(String.init)
            #expect(lines.count == 500 || datagram.count > 1_400)
        }
        #expect(lines == (0..<500).map { "pack.n\($0):\($0)|c" })
    }

    @Test("sends without being told, a while after the first line")
    func timer() {
        let receiver = Receiver()
        let client = HailClient(host: "127.0.0.1", port: receiver.port, options: HailOptions(flushMilliseconds: 5))
        for round in 0..<3 {
            client.count("timer.round", round)
            #expect(receiver.lines(1) == ["timer.round:\(round)|c"])
        }
        client.flush()
        client.close()
    }

    @Test("sends what waits when it is let go of")
    func letGo() {
        let receiver = Receiver()
        do {
            let client = HailClient(
                host: "127.0.0.1", port: receiver.port, options: HailOptions(flushMilliseconds: 60_000))
            client.count("let.go")
        }
        #expect(receiver.lines(1) == ["let.go:1|c"])
    }

    @Test("reaches IPv6 and names", arguments: [("::1", AF_INET6), ("localhost", AF_INET6), ("127.0.0.1", AF_INET)])
    func families(host: String, family: Int32) {
        let receiver = Receiver(family: family)
        guard receiver.port > 0 else { return }
        let client = HailClient(host: host, port: receiver.port)
        client.count("a.b")
        client.close()
        // A name may stand for either address first.
        if host != "localhost" { #expect(receiver.lines(1) == ["a.b:1|c"]) }
    }

    @Test("waits for an agent on a unix socket, and gives up at its bound")
    func absent() {
        let path = Receiver.freePath()
        let client = HailClient(
            unixPath: path, options: HailOptions(flushMilliseconds: 1, datagramBytes: 64, bufferBytes: 100))
        for _ in 0..<20 { client.count("a.b") }
        // Seven bytes each: fourteen fit.
        #expect(client.droppedCount == 6)
        client.flush()
        let receiver = Receiver(path: path)
        #expect(receiver.lines(14) == [String](repeating: "a.b:1|c", count: 14))
        client.close()
        #expect(client.droppedCount == 6)
    }

    @Test("waits for an agent that falls behind, and loses nothing")
    func backPressure() {
        let path = Receiver.freePath()
        let receiver = Receiver(path: path)
        let client = HailClient(unixPath: path, options: HailOptions(datagramBytes: 64))
        for number in 0..<20_000 { client.count(["a", "b"], number) }
        let lines = receiver.lines(20_000)
        #expect(lines.count == 20_000)
        #expect(lines.last == "a.b:19999|c")
        client.close()
        #expect(client.droppedCount == 0)
    }

    @Test("takes up again with an agent that came back")
    func comeback() {
        let path = Receiver.freePath()
        var receiver: Receiver? = Receiver(path: path)
        let client = HailClient(unixPath: path, options: HailOptions(flushMilliseconds: 1))
        client.count("a.b", 1)
        #expect(receiver?.lines(1) == ["a.b:1|c"])
        receiver = nil
        client.count("a.b", 2)
        client.flush()
        receiver = Receiver(path: path)
        #expect(receiver?.lines(1) == ["a.b:2|c"])
        client.close()
        #expect(client.droppedCount == 0)
    }

    @Test("counts what nobody took")
    func refused() {
        let port = Receiver().port
        let client = HailClient(host: "127.0.0.1", port: port)
        for _ in 0..<10 {
            client.count("a.b")
            client.flush()
        }
        client.close()
        // The refusal of the last one is not waited for.
        #expect((9...10).contains(client.droppedCount))
        client.count("a.b")
        #expect((10...11).contains(client.droppedCount))
    }

    @Test("drops everything where no agent can be", arguments: [("127.0.0.1", 0), ("127.0.0.1", 70_000), ("\0", 1)])
    func nowhere(host: String, port: Int) {
        let client = HailClient(host: host, port: port)
        client.count("a.b")
        client.close(withinMilliseconds: 5)
        client.close()
        #expect(client.droppedCount == 1)
        let unix = HailClient(unixPath: String(repeating: "x", count: 200))
        unix.count("a.b")
        unix.close(withinMilliseconds: -1)
        #expect(unix.droppedCount == 1)
    }

    @Test("may be used from many threads at once")
    func threads() {
        let path = Receiver.freePath()
        let receiver = Receiver(path: path)
        let client = HailClient(unixPath: path)
        // Threads of Dispatch: the receiver waits on this one, and other tests may hold the tasks' threads.
        let sent = DispatchGroup()
        for task in 0..<8 {
            DispatchQueue.global().async(group: sent) {
                for number in 0..<2_000 { client.count(["t", "n\(task)"], number) }
            }
        }
        var sums: [Substring: Int] = [:]
        for line in receiver.lines(16_000) {
            let parts = line.split { $0 == ":" || $0 == "|" }
            sums[parts[0], default: 0] += Int(parts[1]) ?? 0
        }
        sent.wait()
        client.close()
        #expect(client.droppedCount == 0)
        #expect(sums.count == 8)
        #expect(sums.values.allSatisfy { $0 == 1_999_000 })
    }

    @Test("times what it runs, also where that throws")
    func timing() {
        struct Failure: Error {}
        let receiver = Receiver()
        let client = HailClient(host: "127.0.0.1", port: receiver.port)
        #expect(client.timing("a.b") { 42 } == 42)
        #expect(throws: Failure.self) { try client.timing("a.b") { () throws(Failure) in throw Failure() } }
        client.close()
        #expect(receiver.lines(2).allSatisfy { $0.hasPrefix("a.b:") && $0.hasSuffix("|ms") })
    }

    @Test("sends its share of samples, and says so")
    func rate() {
        let path = Receiver.freePath()
        let receiver = Receiver(path: path)
        let client = HailClient(unixPath: path)
        for _ in 0..<10_000 { client.count("a.b", 1, rate: 0.1) }
        client.count("end.mark")
        client.flush()
        var lines: [String] = []
        while lines.last != "end.mark:1|c" { lines += receiver.lines(1) }
        client.close()
        // Ten standard deviations.
        #expect((700...1_300).contains(lines.count - 1))
        #expect(lines.dropLast().allSatisfy { $0 == "a.b:1|c|@0.1" })
    }
}
