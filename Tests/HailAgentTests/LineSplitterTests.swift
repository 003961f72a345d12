import Testing

@testable import HailAgent

@Suite("Line splitter")
struct LineSplitterTests {
    @Test(
        "gets its lines wherever the stream is cut",
        arguments: [
            ("a\nb\n", ["a", "b"]), ("a\r\nb", ["a", "b"]), ("\n\r\n\na", ["a"]), ("", []), ("a\rb\n", ["a\rb"]),
            ("12345678\n1234567\n", ["123456", "1234567"]), ("123456\r\n", ["123456"]), ("12345\r", ["12345"]),
        ] as [(String, [String])])
    func splits(text: String, lines: [String]) {
        for size in 1...max(1, text.utf8.count) {
            var splitter = LineSplitter(limitBytes: 5)
            var read: [[UInt8]] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                read += splitter.add(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            if let last = splitter.finish() { read.append(last) }
            // A line past the limit comes cut, and still longer than the limit.
            let texts = read.map { String(decoding: $0, as: UTF8.self) }
            #expect(texts.count == lines.count)
            for (text, line) in zip(texts, lines) {
                #expect(line.utf8.count <= 5 ? text == line : text.utf8.count > 5, "\(size)")
            }
        }
    }
}
