import Dispatch
import Glibc
import Synchronization
import Testing

@testable import HailNet

@Suite("HTTP reply")
struct HTTPReplyTests {
    /// Keeps replies for later.
    final class Shelf: @unchecked Sendable {
        // Guarded by `lock`.
        private var replies: [HTTPReply] = []
        private let lock = Lock()

        func put(_ reply: HTTPReply) {
            lock.holding {
                replies.append(reply)
                lock.announce()
            }
        }

        /// Waits until so many are there and takes them all.
        func take(_ count: Int) -> [HTTPReply] {
            let isThere = lock.wait(until: Clock.nanoseconds + 10_000_000_000) { replies.count >= count }
            #expect(isThere)
            return lock.holding {
                defer { replies = [] }
                return replies
            }
        }
    }

    private let get = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test("comes from another queue, at every moment of the suspension")
    func race() async throws {
        let queue = DispatchQueue(label: "answers", attributes: .concurrent)
        let handler: HTTPServer.Handler = { request, reply in
            queue.async { reply.send(HTTPResponse(text: request.path)) }
            // So that some answers come before and some after the suspension.
            if request.path.utf8.count % 2 == 0 { usleep(20) }
        }
        try await HTTPServerTests.withServer(handler) { address in
            let clients = try (0..<8).map { _ in try RawClient(address) }
            for round in 0..<500 {
                for client in clients { client.write("GET /\(round) HTTP/1.1\r\nHost: h\r\n\r\n") }
                for client in clients { #expect(client.read()?.body == "/\(round)") }
            }
        }
    }

    @Test("is one: a second is not sent, and one that is dropped is a 500")
    func once() async throws {
        let shelf = Shelf()
        try await HTTPServerTests.withServer({ request, reply in
            if request.path == "/drop" { return }
            if request.path == "/dropLater" { return shelf.put(reply) }
            reply.send(HTTPResponse(text: "first"))
            if reply.send(HTTPResponse(text: "second")) { reply.send(.stopping) }
        }) { address in
            let client = try RawClient(address)
            client.write(get + get)
            #expect(client.read()?.body == "first")
            #expect(client.read()?.body == "first")
            client.write("GET /drop HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(client.read()?.status == 500)
            client.write("GET /dropLater HTTP/1.1\r\nHost: h\r\n\r\n")
            _ = shelf.take(1)
            #expect(client.read()?.status == 500)
            client.write(get)
            #expect(client.read()?.body == "first")
        }
    }

    @Test("comes for 200 suspended connections at once")
    func many() async throws {
        let shelf = Shelf()
        try await HTTPServerTests.withServer({ _, reply in shelf.put(reply) }) { address in
            let clients = try (0..<200).map { _ in try RawClient(address) }
            for round in 0..<3 {
                for client in clients { client.write(get) }
                let replies = shelf.take(200)
                DispatchQueue.concurrentPerform(iterations: replies.count) { index in
                    replies[index].send(HTTPResponse(text: "\(round)"))
                }
                for client in clients { #expect(client.read()?.body == "\(round)") }
            }
        }
    }

    @Test("to a caller who has left harms nobody")
    func left() async throws {
        let shelf = Shelf()
        try await HTTPServerTests.withServer({ _, reply in shelf.put(reply) }) { address in
            for _ in 0..<20 {
                var client: RawClient? = try RawClient(address)
                client?.write(get)
                let reply = shelf.take(1)
                client = nil
                #expect(reply[0].send(HTTPResponse(text: "late")))
            }
            let client = try RawClient(address)
            client.write(get)
            shelf.take(1)[0].send(HTTPResponse(text: "here"))
            #expect(client.read()?.body == "here")
        }
    }

    @Test("that is owed when the server stops is waited for, and the connection closed behind it")
    func grace() async throws {
        let shelf = Shelf()
        let server = try HTTPServer(on: [HTTPServerTests.loopback])
        try server.start { _, reply in shelf.put(reply) }
        let client = try RawClient(server.addresses[0])
        client.write(get)
        let reply = shelf.take(1)[0]
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.1) { reply.send(HTTPResponse(text: "in time")) }
        server.stop(graceSeconds: 10)
        let answer = try #require(client.read())
        #expect(answer.body == "in time")
        #expect(answer.has("Connection: close"))
        #expect(client.isClosedByServer())
        #expect(throws: NetError.self) { _ = try RawClient(server.addresses[0]) }
    }

    @Test("that is still owed after the grace is a 503, and a later one goes nowhere")
    func abandoned() async throws {
        let shelf = Shelf()
        let server = try HTTPServer(on: [HTTPServerTests.loopback])
        try server.start { _, reply in shelf.put(reply) }
        let clients = try (0..<50).map { _ in try RawClient(server.addresses[0]) }
        for client in clients { client.write(get) }
        let replies = shelf.take(50)
        server.stop(graceSeconds: 0.05)
        for client in clients { #expect(client.read()?.status == 503) }
        for reply in replies { #expect(!reply.send(HTTPResponse(text: "late"))) }
        server.stop(graceSeconds: 1)
    }

    @Test("races with a stop and never hangs it")
    func stopRace() async throws {
        for _ in 0..<30 {
            let queue = DispatchQueue(label: "answers", attributes: .concurrent)
            let server = try HTTPServer(on: [HTTPServerTests.loopback])
            try server.start { _, reply in queue.async { reply.send(HTTPResponse(text: "ok")) } }
            let clients = try (0..<10).map { _ in try RawClient(server.addresses[0]) }
            for client in clients { client.write(get + get + get) }
            server.stop(graceSeconds: 0)
            for client in clients {
                while let answer = client.read() { #expect([200, 503].contains(answer.status)) }
            }
        }
    }
}

@Suite("HTTP deadline")
struct HTTPDeadlineTests {
    private static let limits: HTTPLimits = {
        var limits = HTTPLimits()
        limits.phaseSeconds = 0.3
        return limits
    }()

    @Test(
        "cuts a client that drips",
        arguments: [
            "", "GET /", "GET / HTTP/1.1\r\nHost: h\r\nX: ",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n",
        ])
    func drip(start: String) async throws {
        let cuts = Cuts()
        try await HTTPServerTests.withServer(limits: Self.limits, noteCut: cuts.note) { address in
            let client = try RawClient(address)
            client.write(start)
            let begin = Clock.nanoseconds
            while client.write("x"), Clock.nanoseconds - begin < 10_000_000_000 { usleep(10_000) }
            #expect(Clock.nanoseconds - begin < 5_000_000_000)
            #expect(cuts.first() == [.request])
        }
        #expect(cuts.first() == [.request])
    }

    /// The cuts that a server reports, from its own thread.
    private final class Cuts: @unchecked Sendable {
        // Guarded by `lock`.
        private var cuts: [HTTPCut] = []
        private let lock = Lock()

        func note(_ cut: HTTPCut) {
            lock.holding {
                cuts.append(cut)
                lock.announce()
            }
        }

        /// All of them, once there is one.
        func first() -> [HTTPCut] {
            _ = lock.wait(until: Clock.nanoseconds + 10_000_000_000) { !cuts.isEmpty }
            return lock.holding { cuts }
        }
    }

    @Test("cuts a client that does not read its answer")
    func slowReader() async throws {
        let cuts = Cuts()
        try await HTTPServerTests.withServer(
            limits: Self.limits,
            { _, reply in reply.send(HTTPResponse(body: [UInt8](repeating: 65, count: 32 << 20))) },
            noteCut: cuts.note
        ) { address in
            let client = try RawClient(address)
            client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(cuts.first() == [.answer])
            #expect(client.read() == nil)
        }
    }

    @Test("does not count the time that a handler takes")
    func handler() async throws {
        try await HTTPServerTests.withServer(
            limits: Self.limits,
            { _, reply in
                DispatchQueue.global().asyncAfter(deadline: .now() + 1) { reply.send(HTTPResponse(text: "slow")) }
            }
        ) { address in
            let client = try RawClient(address)
            client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(client.read()?.body == "slow")
        }
    }
}

@Suite("HTTP fetch")
struct HTTPFetchTests {
    @Test("brings status and body, with the header fields it was given")
    func fetch() async throws {
        let scratch = try Scratch()
        for address in [HTTPServerTests.loopback, .unix(path: scratch.path + "/h")] {
            try await HTTPServerTests.withServer(
                on: address,
                { request, reply in
                    let text = "\(request.headers["Authorization"] ?? "") \(request.query[0].value)"
                    reply.send(HTTPResponse(status: 418, text: text + String(repeating: "x", count: 1 << 20)))
                }
            ) { address in
                let fetch = HTTPFetch(address, headers: [HTTPField("Authorization", "Bearer 1.x")])
                let answer = try fetch.get("/x?a=%31")
                #expect(answer.status == 418)
                #expect(String(decoding: answer.body.prefix(13), as: UTF8.self) == "Bearer 1.x 1x")
                #expect(answer.body.count == 12 + (1 << 20))
            }
        }
    }

    @Test("says that nobody listens, or that nobody answers in time")
    func failures() async throws {
        let shelf = HTTPReplyTests.Shelf()
        var gone = HTTPServerTests.loopback
        try await HTTPServerTests.withServer({ _, reply in shelf.put(reply) }) { address in
            #expect(throws: NetError.timedOut(subject: "\(address)")) {
                try HTTPFetch(address, timeoutSeconds: 0.1).get("/")
            }
            gone = address
        }
        #expect(throws: NetError.system(action: "connect to", subject: "\(gone)", code: ECONNREFUSED)) {
            try HTTPFetch(gone).get("/")
        }
    }
}
