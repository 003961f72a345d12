import Glibc
import Testing

@testable import HailNet

@Suite("HTTP body")
struct HTTPBodyTests {
    static let limits: HTTPLimits = {
        var limits = HTTPLimits()
        limits.bodyBytes = 100_000
        limits.discardedBytes = 400_000
        return limits
    }()

    private func post(_ length: Int, _ more: String = "") -> String {
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\(more)\r\n"
    }

    @Test("of just the limit is taken, and the connection lives on")
    func limit() async throws {
        try await HTTPServerTests.withServer(limits: Self.limits) { address in
            let client = try RawClient(address)
            for _ in 0..<2 {
                client.write(post(100_000))
                client.write([UInt8](repeating: 65, count: 100_000))
                #expect(client.read()?.body.hasPrefix("POST /x [] 100000 A") == true)
            }
        }
    }

    @Test("that is too long is answered with 413 though its sender sends it all")
    func tooLong() async throws {
        try await HTTPServerTests.withServer(limits: Self.limits) { address in
            let client = try RawClient(address)
            client.write(post(100_001))
            client.write([UInt8](repeating: 65, count: 100_001))
            let answer = try #require(client.read())
            #expect(answer.status == 413)
            #expect(answer.body == "too_large")
            client.write("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<13 {
                client.write("2710\r\n")
                client.write([UInt8](repeating: 65, count: 10_000))
                client.write("\r\n")
            }
            client.write("0\r\n\r\n")
            #expect(client.read()?.status == 413)
        }
    }

    @Test("that states far too great a length is answered at once, and one without end is cut")
    func far() async throws {
        try await HTTPServerTests.withServer(limits: Self.limits) { address in
            let client = try RawClient(address)
            client.write(post(400_001))
            #expect(client.read()?.status == 413)
            #expect(client.isClosedByServer())
            let endless = try RawClient(address)
            endless.write("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            var sent = 0
            while sent < 100_000_000, endless.write("2710\r\n" + String(repeating: "A", count: 10_000) + "\r\n") {
                sent += 10_000
            }
            #expect(sent < 100_000_000)
        }
    }

    @Test("is asked for where its sender waits, and refused before it is sent")
    func expect() async throws {
        try await HTTPServerTests.withServer(limits: Self.limits) { address in
            let client = try RawClient(address)
            client.write(post(5, "Expect: 100-continue\r\n"))
            #expect(client.read()?.status == 100)
            client.write("hello")
            #expect(client.read()?.body == "POST /x [] 5 hello loopback")
            client.write(post(100_001, "Expect: 100-Continue\r\n"))
            #expect(client.read()?.status == 413)
        }
    }

    @Test(
        "of unclear length is refused, and the connection closed",
        arguments: [
            "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: -1\r\n", "Content-Length: 5x\r\n",
            "Content-Length: 99999999999999999999\r\n", "Content-Length: 5, 5\r\n", "Content-Length: +5\r\n",
            "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: \r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
        ])
    func unclear(lengths: String) async throws {
        try await HTTPServerTests.withServer(limits: Self.limits) { address in
            let client = try RawClient(address)
            client.write(
                "POST /x HTTP/1.1\r\nHost: h\r\n\(lengths)\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
            let status = client.read()?.status
            #expect(status == 400 || status == 413)
            #expect(client.isClosedByServer())
        }
    }

    @Test("finds no memory where others hold it all, and finds it again later")
    func busy() async throws {
        var limits = Self.limits
        limits.heldBytes = 150_000
        try await HTTPServerTests.withServer(limits: limits) { address in
            do {
                let first = try RawClient(address)
                let second = try RawClient(address)
                first.write(post(100_000))
                first.write([UInt8](repeating: 65, count: 99_999))
                // The server reads both connections on one thread, the first one first.
                usleep(50_000)
                second.write(post(100_000))
                second.write([UInt8](repeating: 65, count: 100_000))
                #expect(second.read()?.status == 503)
                first.write("A")
                #expect(first.read()?.status == 200)
                second.write(post(100_000))
                second.write([UInt8](repeating: 65, count: 100_000))
                #expect(second.read()?.status == 200)
            }
        }
    }

    @Test(
        "is read as a form",
        arguments: [("a=1&b=x+y", ["a=1", "b=x y"]), ("", []), ("a=%00", nil), ("a=%", nil), ("a=%ff", nil)]
            as [(String, [String]?)])
    func form(text: String, fields: [String]?) {
        let request = HTTPRequest(
            method: "POST", target: HTTPTarget(parsing: Array("/".utf8)),
            headers: ["content-type": "Application/X-WWW-form-urlencoded ; charset=utf-8"], body: Array(text.utf8))
        #expect(request.mediaType == "application/x-www-form-urlencoded")
        #expect((try? request.form())?.map { "\($0.name)=\($0.value)" } == fields)
    }
}
