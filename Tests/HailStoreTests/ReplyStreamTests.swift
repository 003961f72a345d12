import Glibc
import Testing

@testable import HailStore

@Suite("Reply stream")
struct ReplyStreamTests {
    /// Reads everything that arrives in pieces, up to the end of the connection.
    private func read(_ bytes: [UInt8], pieces: Int) throws -> [ReplyStream.Line] {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        var stream = ReplyStream()
        var lines: [ReplyStream.Line] = []
        var rest = bytes[...]
        var isOpen = true
        while true {
            // Never more than the other end's buffer takes, so that one thread will do.
            if !rest.isEmpty {
                let piece = rest.prefix(max(1, bytes.count / pieces))
                _ = piece.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
                rest = rest.dropFirst(piece.count)
            }
            if rest.isEmpty, isOpen {
                close(ends[1])
                isOpen = false
            }
            if isOpen { continue }
            do throws(StoreError) {
                let line = try stream.line(from: ends[0])
                lines.append(line)
                if case .string(let count?) = line {
                    lines.append(.error("\(try stream.string(count, from: ends[0]))"))
                }
            } catch {
                #expect(error.description.contains("Server closed") || error.description.contains("no sense"))
                return lines
            }
        }
    }

    @Test("reads every kind of line, however it is cut", arguments: [1, 2, 3, 7, 50])
    func kinds(pieces: Int) throws {
        let text =
            "+QUEUED\r\n:12\r\n:-9223372036854775808\r\n:9223372036854775807\r\n-OOM no room\r\n$3\r\na\r\n\r\n$-1\r\n"
            + "*2\r\n*-1\r\n$0\r\n\r\n:0\r\n"
        #expect(
            try read(Array(text.utf8), pieces: pieces) == [
                .status, .integer(12), .integer(.min), .integer(.max), .error("OOM no room"), .string(3),
                .error("[97, 13, 10]"), .string(nil), .array(2), .array(nil), .string(0), .error("[]"), .integer(0),
            ])
    }

    @Test(
        "takes what no reply says for a broken connection",
        arguments: [
            "\r\n", "+OK\n", ":\r\n", ":-\r\n", ":1a\r\n", ":9223372036854775808\r\n", ":-9223372036854775809\r\n",
            "$-2\r\n", "*1.5\r\n", "!x\r\n", "$2\r\nabc\r\n", "*99999999999999\r\n",
        ])
    func nonsense(text: String) throws {
        let lines = try read(Array(text.utf8), pieces: 1)
        #expect(lines.filter { if case .string = $0 { false } else { true } } == [])
    }

    @Test("keeps only the beginning of a long string, and refuses a line without end")
    func long() throws {
        let string = Array("$50000\r\n".utf8) + [UInt8](repeating: 120, count: 50_000) + Array("\r\n:7\r\n".utf8)
        let kept = "\([UInt8](repeating: 120, count: 64))"
        #expect(try read(string, pieces: 1) == [.string(50_000), .error(kept), .integer(7)])
        #expect(try read([UInt8](repeating: 43, count: 70_000), pieces: 1) == [])
    }

    @Test("traps on no bytes", arguments: 0..<100)
    func anyBytes(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let likely = Array("+-:$*\r\n0129".utf8)
        let bytes = (0..<300).map { _ in
            Int.random(in: 0..<8, using: &random) == 0
                ? UInt8(truncatingIfNeeded: random.next()) : likely[Int.random(in: 0..<11, using: &random)]
        }
        _ = try read(bytes, pieces: 3)
    }
}
