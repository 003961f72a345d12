import Glibc
import Testing

@testable import HailAgent

@Suite("Log")
struct LogTests {
    private func line(_ message: String, _ fields: Log.Fields = [:]) -> String {
        String(decoding: Log.line(.info, message, fields), as: UTF8.self)
    }

    @Test("writes level, message and fields on one line")
    func plain() {
        #expect(
            line("listening", ["transport": "udp", "address": "127.0.0.1:8125", "count": 3])
                == "level=info msg=listening transport=udp address=127.0.0.1:8125 count=3\n")
        #expect(line("ready") == "level=info msg=ready\n")
    }

    @Test(
        "quotes what could be taken for more than a value",
        arguments: [
            ("", #""""#), ("two words", #""two words""#), ("a=b", #""a=b""#), ("a\"b", #""a\"b""#),
            ("a\\b", #""a\\b""#), ("a\nlevel=error msg=forged", #""a\nlevel=error msg=forged""#), ("\r\t", #""\r\t""#),
            ("\u{0}\u{1B}[2J\u{7F}\u{85}", #""\u{0}\u{1b}[2J\u{7f}\u{85}""#),
            ("\u{2028}\u{2029}\u{202E}\u{200B}\u{FEFF}", #""\u{2028}\u{2029}\u{202e}\u{200b}\u{feff}""#),
            ("\u{E000}\u{10FFFF}", #""\u{e000}\u{10ffff}""#), ("é🐋", "\"é🐋\""), ("e\u{301}", "\"e\u{301}\""),
        ])
    func hostile(text: String, shown: String) {
        #expect(line("m", ["v": text]) == "level=info msg=m v=\(shown)\n")
        #expect(line(text) == "level=info msg=\(shown)\n")
    }

    @Test("keeps keys to one word", arguments: [("a b", "a_b"), ("a=b", "a_b"), ("", "_"), ("\n", "_"), ("é", "_")])
    func keys(key: String, shown: String) {
        var text = ""
        let log = Log(level: .info) { bytes in #expect(bytes.last == 0x0A) }
        log.info("m")
        text = String(decoding: Log.line(.info, "m", KeyValuePairs(dictionaryLiteral: (key, "v"))), as: UTF8.self)
        #expect(text == "level=info msg=m \(shown)=v\n")
    }

    @Test("cuts long values")
    func long() {
        let text = line("m", ["v": String(repeating: "x", count: 5_000)])
        #expect(text.utf8.count < 1_100)
        #expect(text.hasSuffix("…\"\n"))
        #expect(line("m", ["v": String(repeating: "é", count: 512)]).contains("é\"\n"))
    }

    @Test("changes its level for every copy")
    func change() throws {
        let log = Log(level: .error) { _ in }
        let copy = log
        copy.level = .debug
        #expect(log.level == .debug)
        for level in LogLevel.allCases {
            log.level = level
            #expect(copy.level == level)
        }
    }

    @Test("leaves out what is below its level", arguments: LogLevel.allCases)
    func levels(level: LogLevel) throws {
        var pipes: [Int32] = [0, 0]
        try #require(pipe(&pipes) == 0)
        let (reader, writer) = (pipes[0], pipes[1])
        defer { close(reader) }
        let log = Log(level: level) { BlockingIO.writeAll($0, to: writer) }
        log.error("e")
        log.warning("w")
        log.info("i")
        log.debug("d")
        close(writer)
        let text = String(decoding: try #require(BlockingIO.read(from: reader)), as: UTF8.self)
        let expected = LogLevel.allCases.filter { $0 <= level }.map { "level=\($0) msg=\($0.rawValue.first ?? "?")\n" }
        #expect(text == expected.joined())
    }
}
