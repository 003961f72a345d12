import Testing

@testable import HailClient

@Suite("HTTP answer")
struct HTTPAnswerTests {
    private static let whole: [(text: String, status: Int, body: String)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}and more", 200, "{}"),
        ("HTTP/1.0 404\r\ncontent-length:\t3 \r\nX: y: z\r\n\r\nabc", 404, "abc"),
        ("HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 1\n\nx", 200, "x"),
        ("HTTP/1.1 503 busy\r\nContent-Length: 0\r\n\r\n", 503, ""),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, ""),
        ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;n=v\r\n0123456789\r\n0\r\nE: t\r\n\r\n",
            200,
            "abc0123456789"
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, ""),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end"),
    ]

    @Test("is put together from pieces of any size", arguments: whole.indices)
    func pieces(row: Int) throws {
        let row = Self.whole[row]
        let bytes = Array(row.text.utf8)
        for size in 1...bytes.count {
            var answer = HTTPAnswer(limitBytes: 100)
            for start in stride(from: 0, to: bytes.count, by: size) {
                try answer.take(bytes[start..<min(start + size, bytes.count)])
            }
            try answer.end()
            #expect(answer.status == row.status)
            #expect(String(decoding: answer.body, as: UTF8.self) == row.body)
        }
    }

    @Test(
        "is refused where it is none, is cut short or is longer than is taken",
        arguments: [
            "", "\r\n\r\n", "SSH-2.0-OpenSSH\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890", "HTTP/1.1 200 OK\r\n\r\n01234567890",
            "HTTP/1.1 200 OK\r\nno field\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nB\r\n01234567890\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n67890\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7FFFFFFFFFFFFFFF\r\n0",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
        ])
    func bad(text: String) {
        for size in [1, 3, max(1, text.utf8.count)] {
            #expect(throws: HailError.self) {
                let bytes = Array(text.utf8)
                var answer = HTTPAnswer(limitBytes: 10)
                for start in stride(from: 0, to: bytes.count, by: size) {
                    try answer.take(bytes[start..<min(start + size, bytes.count)])
                }
                try answer.end()
            }
        }
    }

    @Test("has a head of 64 KiB at most, its chunks as much each")
    func heads() throws {
        var answer = HTTPAnswer(limitBytes: 10)
        try answer.take(ArraySlice("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8))
        for _ in 0..<8 { try answer.take(ArraySlice("1;\(String(repeating: "e", count: 60_000))\r\nx\r\n".utf8)) }
        #expect(answer.body.count == 8)
        #expect(throws: HailError.badAnswer("its head is too long")) {
            try answer.take(ArraySlice(repeating: UInt8(ascii: "1"), count: 70_000))
        }
        var endless = HTTPAnswer(limitBytes: 10)
        #expect(throws: HailError.badAnswer("its head is too long")) {
            try endless.take(ArraySlice("HTTP/1.1 200 OK\r\n".utf8))
            while true { try endless.take(ArraySlice("a: b\r\n".utf8)) }
        }
    }
}
