import Dispatch
import Glibc
import Synchronization
import Testing

@testable import HailNet

@Suite("HTTP server")
struct HTTPServerTests {
    static let loopback = SocketAddress.ipv4(0x7F00_0001, port: 0)

    /// Answers with what it understood.
    static let echo: HTTPServer.Handler = { request, reply in
        if let problem = request.problem {
            reply.send(HTTPResponse(status: problem.status, text: problem.code))
            return
        }
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        let body = String(decoding: request.body.prefix(100), as: UTF8.self)
        reply.send(
            HTTPResponse(
                contentType: "text/plain",
                text: "\(request.method) \(request.path) [\(query)] \(request.body.count) \(body) \(request.peer)"))
    }

    /// A running server and a way to end it.
    static func withServer(
        on address: SocketAddress = loopback, limits: HTTPLimits = HTTPLimits(),
        _ handler: @escaping HTTPServer.Handler = echo, noteCut: @escaping @Sendable (HTTPCut) -> Void = { _ in },
        _ body: (SocketAddress) async throws -> Void
    ) async throws {
        let server = try HTTPServer(on: [address], limits: limits)
        try server.start(handler, noteCut: noteCut)
        defer { server.stop(graceSeconds: 1) }
        try await body(server.addresses[0])
    }

    @Test("answers over IPv4, IPv6 and a unix socket", arguments: ["127.0.0.1:0", "[::1]:0", "unix"])
    func transports(text: String) async throws {
        let scratch = try Scratch()
        let address = text == "unix" ? .unix(path: scratch.path + "/h") : try SocketAddress(parsing: text)
        try await Self.withServer(on: address) { address in
            let client = try RawClient(address)
            client.write("GET /a%20b?x=1&x=2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let answer = try #require(client.read())
            #expect(answer.status == 200)
            #expect(answer.body == "GET /a b [x=1,x=2] 0  loopback")
            #expect(answer.has("Content-Type: text/plain"))
            #expect(answer.has("Content-Length: \(answer.body.utf8.count)"))
            #expect(!answer.head.lowercased().contains("server:"))
        }
    }

    @Test("answers pipelined requests in order over one connection")
    func pipelined() async throws {
        try await Self.withServer { address in
            let client = try RawClient(address)
            client.write((0..<50).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
            for number in 0..<50 { #expect(client.read()?.body == "GET /\(number) [] 0  loopback") }
        }
    }

    @Test("takes a request byte by byte")
    func split() async throws {
        try await Self.withServer { address in
            let client = try RawClient(address)
            for byte in "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello".utf8 {
                client.write([byte])
                usleep(200)
            }
            #expect(client.read()?.body == "POST /x [] 5 hello loopback")
        }
    }

    @Test("takes a chunked body")
    func chunked() async throws {
        try await Self.withServer { address in
            let client = try RawClient(address)
            client.write("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.write("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nGET /y HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(client.read()?.body == "POST /x [] 5 abcde loopback")
            #expect(client.read()?.body == "GET /y [] 0  loopback")
        }
    }

    @Test("answers HEAD with the length and without the body, and hands on any method")
    func methods() async throws {
        try await Self.withServer { address in
            let client = try RawClient(address)
            client.write("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nBREW /x HTTP/1.1\r\nHost: h\r\n\r\n")
            let head = try #require(client.read(toHead: true))
            #expect(head.has("Content-Length: 22"))
            #expect(client.read()?.body == "BREW /x [] 0  loopback")
        }
    }

    @Test(
        "hands on what is wrong with a target",
        arguments: [
            ("/x?a=%00b", "nul"), ("/%00", "nul"), ("/%2", "malformed_escape"), ("/x?a=%ff", "not_utf8"),
            ("/x?a=%zz", "malformed_escape"), ("nowhere", "malformed_target"),
        ])
    func targets(target: String, code: String) async throws {
        try await Self.withServer { address in
            let client = try RawClient(address)
            client.write("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = try #require(client.read())
            #expect(answer.status == 400)
            #expect(answer.body == code)
        }
    }

    @Test(
        "does not let a NUL cut a request short",
        arguments: [
            "GET /a~b HTTP/1.1|Host: h||", "GET /a~ HTTP/1.1|Host: h||", "GET /a HTTP/1.1|Host: h|X-Real-IP~: 1||",
        ])
    func rawNul(template: String) async throws {
        let text = template.map { $0 == "|" ? "\r\n" : $0 == "~" ? "\0" : String($0) }.joined()
        try await Self.withServer { address in
            let client = try RawClient(address)
            client.write(text)
            #expect(client.read().map { $0.status >= 400 } ?? true)
        }
    }

    @Test(
        "refuses header fields that others would read otherwise",
        arguments: [
            "X: a~b|Host: h", "Host: h|X: a~b", "Host: h|X: ~b|Y: 1", "Host: h|X: a~|Y: 1",
            "Host: h|X: a~~b", "Host: h|X~Y: 1", "Host: h|X:~1", "Host: h|X: a#b", "Host: h|X: a| b",
            "Host: h|X: a|\tb|Y: 1",
            "Host: h|X : 1", "Host: h|X(Y): 1", "Host: h|X-Real-IP : 1|Y: 1", "Host: h|X:|~Y: 1",
        ])
    func malformedHeaders(template: String) async throws {
        let bytes = Array(template.utf8).flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "|"): [13, 10]
            case UInt8(ascii: "~"): [0]
            case UInt8(ascii: "#"): [1]
            default: [byte]
            }
        }
        try await Self.withServer { address in
            let client = try RawClient(address)
            client.write(Array("GET /a HTTP/1.1\r\n".utf8) + bytes + [13, 10, 13, 10])
            let answer = try #require(client.read())
            #expect(answer.status == 400)
            #expect(client.isClosedByServer())
            #expect(answer.body == "malformed_header" || answer.body.contains("<html>"), "\(answer.body)")
        }
    }

    @Test(
        "takes header fields that are unusual and clear",
        arguments: ["Host: h|X:|Y:  |Z: 1", "Host:h|X:\t 1 2 \t", "Host: h|X: \u{E9}|a!#$%&'*+-.^_`~z: 1"])
    func unusualHeaders(template: String) async throws {
        try await Self.withServer { address in
            for lineEnd in ["\r\n", "\n"] {
                let client = try RawClient(address)
                let text = "POST /a HTTP/1.1|\(template)|Content-Length: 2||hi"
                client.write(text.map { $0 == "|" ? lineEnd : String($0) }.joined())
                #expect(client.read()?.body == "POST /a [] 2 hi loopback", "\(template)")
            }
        }
    }

    @Test("keeps every header of a name, whatever the case")
    func headers() async throws {
        let handler: HTTPServer.Handler = { request, reply in
            reply.send(HTTPResponse(text: request.headers.all("x-a").joined(separator: "|")))
        }
        try await Self.withServer(handler) { address in
            let client = try RawClient(address)
            client.write("GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a:  two words \r\nX-a:\r\n\r\n")
            #expect(client.read()?.body == "1|two words|")
        }
    }

    @Test("sends the answer's own header fields, and none that would break the header")
    func answerHeaders() async throws {
        let handler: HTTPServer.Handler = { _, reply in
            let fields = [HTTPField("X-Good", "1"), HTTPField("X-Bad", "1\r\nX-Smuggled: 1")]
            reply.send(HTTPResponse(status: 204, headers: fields))
        }
        try await Self.withServer(handler) { address in
            let client = try RawClient(address)
            client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = try #require(client.read())
            #expect(answer.status == 204)
            #expect(answer.has("X-Good: 1"))
            #expect(!answer.head.contains("Smuggled"))
        }
    }

    @Test("refuses a request of HTTP/1.1 without a host, and a header that is too long")
    func refusals() async throws {
        try await Self.withServer { address in
            let hostless = try RawClient(address)
            hostless.write("GET / HTTP/1.1\r\n\r\n")
            #expect(hostless.read()?.status == 400)
            // In the handler's words up to the memory of a request, in libmicrohttpd's beyond it.
            for (count, isOurs) in [(17_000, true), (40_000, true), (100_000, false)] {
                let long = try RawClient(address)
                long.write("GET / HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "x", count: count) + "\r\n\r\n")
                let answer = try #require(long.read())
                #expect(answer.status == 431)
                #expect((answer.body == "headers_too_large") == isOurs)
                let longTarget = try RawClient(address)
                longTarget.write("GET /" + String(repeating: "x", count: count) + " HTTP/1.1\r\nHost: h\r\n\r\n")
                let targetAnswer = try #require(longTarget.read())
                #expect(targetAnswer.status == 414)
                #expect((targetAnswer.body == "target_too_long") == isOurs)
            }
            let enough = try RawClient(address)
            enough.write(
                "GET /?" + String(repeating: "x", count: 16_000) + " HTTP/1.1\r\nHost: h\r\nX: "
                    + String(repeating: "x", count: 16_000) + "\r\n\r\n")
            #expect(enough.read()?.status == 200)
        }
    }

    @Test("listens on several addresses, and ends on all of them")
    func several() async throws {
        let scratch = try Scratch()
        let path = scratch.path + "/h"
        let server = try HTTPServer(on: [Self.loopback, try SocketAddress(parsing: "[::1]:0"), .unix(path: path)])
        try server.start(Self.echo)
        #expect(server.addresses.count == 3)
        for address in server.addresses { #expect(try HTTPFetch(address).get("/").status == 200) }
        server.stop(graceSeconds: 1)
        for address in server.addresses { #expect(throws: NetError.self) { try HTTPFetch(address).get("/") } }
        #expect(access(path, F_OK) != 0)
    }

    @Test("lets nobody have more connections than one address may")
    func connectionsPerAddress() async throws {
        var limits = HTTPLimits()
        limits.connectionsPerAddress = 3
        try await Self.withServer(limits: limits) { address in
            let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
            let clients = try (0..<3).map { _ in try RawClient(address) }
            for client in clients {
                client.write(get)
                #expect(client.read()?.status == 200)
            }
            let fourth = try RawClient(address)
            fourth.write(get)
            #expect(fourth.read() == nil)
            clients[0].write(get)
            #expect(clients[0].read()?.status == 200)
        }
    }

    @Test("serves on when it was bound long before it was started")
    func boundFirst() async throws {
        let server = try HTTPServer(on: [Self.loopback])
        let early = try RawClient(server.addresses[0])
        early.write("GET /early HTTP/1.1\r\nHost: h\r\n\r\n")
        try server.start(Self.echo)
        defer { server.stop(graceSeconds: 1) }
        #expect(early.read()?.body == "GET /early [] 0  loopback")
        #expect(throws: NetError.addressInUse("\(server.addresses[0])")) { try HTTPServer(on: server.addresses) }
    }
}
