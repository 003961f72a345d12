import HailCore
import HailWire
import Testing

@Suite("A line of the common form")
struct QuickLineTests {
    private static let names = [
        "a", "api.users.get", "é.ü", "Product.42", "_x", "a%2Eb", String(repeating: "n", count: 90),
    ]
    private static let numbers = [
        "1", "0", "42", "-3", "+7", "1.5", ".5", "5.", "123456789012", "1234567890123", "1e3", "1:2", "", "x", "1.2.3",
        "--1",
        "99999999999999999999", "0.0000001", "1 ",
    ]
    private static let types = ["c", "ms", "h", "d", "m", "mss", "cc", "x", "", "s", "g"]
    private static let tags = [
        "", "|#", "|#a", "|#a:b,c:d", "|#a:b>c", "|#,", "|", "|#a|", "|#\r",
        "|#" + String(repeating: "t:v,", count: 40),
    ]

    @Test("means what it means with a rate of 1 behind it, which another scanner reads")
    func agrees() {
        var acceptedCount = 0
        for name in Self.names {
            for number in Self.numbers {
                for type in Self.types {
                    for tags in Self.tags where !tags.hasSuffix("\r") && !tags.hasSuffix("|") {
                        let line = "\(name):\(number)|\(type)\(tags)"
                        let quick = ReadLine.only(line)
                        let any = ReadLine.only(line + "|@1")
                        // The kinds that have no use for a rate are not read by the quick one.
                        guard type != "g", type != "s" else { continue }
                        #expect(quick == any, "\(line)")
                        if quick?.error == nil { acceptedCount += 1 }
                    }
                }
            }
        }
        #expect(acceptedCount > 2_000)
    }

    @Test("ends where the text ends, or a newline, or a carriage return and a newline")
    func endings() {
        for line in ["a.b:1|c", "a.b:12|ms", "a.b:1.5|c|#x:y", "a.b:1|h|#\(String(repeating: "x", count: 60))"] {
            let alone = ReadLine.only(line)
            #expect(alone?.error == nil)
            for text in ["\(line)\n", "\(line)\r\n", "\(line)\r", "\n\n\(line)\n\n"] {
                var read = ReadLine.all(of: Array(text.utf8))
                #expect(read.count == 1)
                #expect(read.first?.number == (text.hasPrefix("\n") ? 3 : 1))
                if !read.isEmpty { read[0].number = 1 }
                #expect(read.first == alone, "\(text)")
            }
            // Wherever it lies among the blocks that marks are made of.
            for shift in 0..<130 {
                let text = String(repeating: "x", count: shift) + "\n" + line + "\n" + line
                let read = ReadLine.all(of: Array(text.utf8)).filter { $0.error == nil }
                #expect(read.map(\.identity) == [alone?.identity, alone?.identity])
            }
        }
    }

    @Test("takes from no line behind it what it lacks itself")
    func borders() {
        for line in ["a", "a:", "a:1", "a:1|", "a:1|m", "a|c", "|", ":", "a:1|c|", "a:1|c|#x|"] {
            let alone = ReadLine.only(line)
            let pair = ReadLine.all(of: Array("\(line)\ns:1|c|#x:y".utf8))
            #expect(pair.count == 2 && pair.first?.error == alone?.error && alone?.error != nil, "\(line)")
            #expect(pair.last?.error == nil && pair.last?.identity == Array("s:|c|#x:y".utf8), "\(line)")
        }
    }

    @Test("is read the same when texts follow each other in one buffer, as many as there is room for")
    func several() {
        let buffer = LineBuffer()
        let scanner = LineScanner(seed: 7)
        let texts = ["a.b:1|c", "a:x=2:y=3|c|#t\nbad\na:bob|s", "\n\n", "x", "g:-1|g"].map { Array($0.utf8) }
        var expected: [[UInt8]] = []
        var count = 0
        buffer.removeAll()
        while buffer.hasRoom(for: 40) {
            let text = texts[count % texts.count]
            text.withUnsafeBufferPointer { scanner.scan($0, behind: buffer, times: 0...1) }
            expected += ReadLine.all(of: text).filter { $0.error == nil }.map(\.identity)
            count += 1
        }
        #expect(count > 4_000)
        let good = (0..<buffer.lineCount).filter { buffer.lines[$0].error == nil }
        #expect(good.count + buffer.refusedCount == buffer.lineCount)
        #expect(good.map { buffer.lines[$0].valuesStart }.last.map { Int($0) < buffer.valueCount } == true)
        #expect(good.map { buffer.identity(of: buffer.lines[$0]) } == expected)
        // Texts of one byte take the most lines.
        buffer.removeAll()
        let one = Array("x".utf8)
        while buffer.hasRoom(for: 1) { one.withUnsafeBufferPointer { scanner.scan($0, behind: buffer, times: 0...1) } }
        #expect(buffer.lineCount == LineBuffer.textBytes / 2 + 1)
    }
}
