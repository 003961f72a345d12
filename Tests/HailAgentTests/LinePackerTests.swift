import Testing

@testable import HailAgent

@Suite("Line packer")
struct LinePackerTests {
    private func line(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }

    @Test(
        "fills a datagram to its size and not past it",
        arguments: [
            ([4, 5], [10]), ([4, 6], [4, 6]), ([10, 1], [10, 1]), ([9, 1], [9, 1]), ([8, 1], [10]),
            ([11, 3], [11, 3]),
            ([3, 12, 3], [3, 12, 3]), ([1, 1, 1, 1, 1, 1], [9, 1]), ([0, 4, 0], [4]), ([0], []), ([], []), ([20], [20]),
        ] as [([Int], [Int])])
    func sizes(lines: [Int], datagrams: [Int]) {
        var packer = LinePacker(preferredBytes: 10, limitBytes: 20)
        var sent: [LinePacker.Datagram] = []
        for count in lines { if case .full(let full) = packer.add(line(count)) { sent += full } }
        if let last = packer.close() { sent.append(last) }
        #expect(sent.map(\.bytes.count) == datagrams)
        #expect(sent.reduce(0) { $0 + $1.lineCount } == lines.filter { $0 > 0 }.count)
        #expect(packer.close() == nil)
    }

    @Test("refuses what no datagram holds, and keeps what waits")
    func tooLong() {
        var packer = LinePacker(preferredBytes: 10, limitBytes: 20)
        #expect(packer.add(line(3)) == .waiting)
        #expect(packer.add(line(21)) == .tooLong)
        #expect(packer.close() == LinePacker.Datagram(bytes: line(3), lineCount: 1))
    }

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
