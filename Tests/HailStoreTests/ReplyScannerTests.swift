import HailCore
import Testing

@testable import HailStore

@Suite("Reply scanner")
struct ReplyScannerTests {
    /// Takes a text in pieces of a length.
    private func scan(_ text: String, piece: Int, limit: Int = 1 << 20) throws(ReplyScanner.Fault) -> [StoreReply] {
        var scanner = ReplyScanner(limitBytes: limit)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let part = rest.prefix(piece)
            rest = rest.dropFirst(piece)
            _ = try scanner.take { room in
                room.copyBytes(from: part)
                return part.count
            }
        }
        return scanner.replies
    }

    private static func texts(_ texts: String?...) -> StoreReply {
        .texts(TextList(texts.map { $0.map { Array($0.utf8) } }))
    }

    private static let cases: [(String, [StoreReply])] = [
        ("+OK\r\n", [.status("OK")]), ("-ERR no\r\n:5\r\n", [.error("ERR no"), .integer(5)]),
        ("$-1\r\n$0\r\n\r\n$3\r\na\r\n\r\n", [.null, .bytes([]), .bytes([97, 13, 10])]),
        ("*-1\r\n*0\r\n", [.null, texts()]),
        ("*3\r\n$1\r\na\r\n$-1\r\n:-12\r\n+PONG\r\n", [texts("a", nil, "-12"), .status("PONG")]),
        (":9223372036854775807\r\n:-9223372036854775808\r\n", [.integer(.max), .integer(.min)]),
        // What has not come whole is no reply yet.
        ("*2\r\n$1\r\na\r\n", []), ("$5\r\nabc", []), ("+OK\r", []), (":1\r\n*1\r\n", [.integer(1)]),
    ]

    @Test("takes replies however they are cut", arguments: cases, [1, 2, 3, 7, 1_000])
    func pieces(example: (String, [StoreReply]), piece: Int) throws {
        #expect(try scan(example.0, piece: piece) == example.1)
    }

    @Test(
        "refuses what is no reply to a read",
        arguments: [
            "x", "$a\r\n", "$\r\n", "$1\r\nab\r\n", ":1\n\r", "$1\n1\r\n", "*1\r\n*1\r\n", "*1\r\n+a\r\n",
            "*1\r\n-a\r\n", "+a\rb", ":99999999999999999999\r\n", "*99999999999\r\n", "\r\n", "$--1\r\n",
        ], [1, 1_000])
    func malformed(text: String, piece: Int) {
        #expect(throws: ReplyScanner.Fault.malformed) { try scan(text, piece: piece) }
    }

    @Test("stops at the limit: of bytes, of announced bytes, of texts, of replies and of lines without an end")
    func limits() {
        let many = String(repeating: "$0\r\n\r\n", count: 1_000)
        let long = "$600\r\n" + String(repeating: "x", count: 600) + "\r\n"
        for text in ["$2000\r\n", long + long, "*1000\r\n" + many, many] {
            #expect(throws: ReplyScanner.Fault.tooLarge) { try scan(text, piece: 500, limit: 1_000) }
        }
        #expect(throws: ReplyScanner.Fault.malformed) {
            try scan("+" + String(repeating: "x", count: 100_000), piece: 50_000)
        }
    }
}
