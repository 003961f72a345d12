import Glibc
import HailCore
import HailWire
import Testing

/// Texts that mean to do harm: whatever arrives, the scanner neither traps nor leaves its memory.
@Suite("Hostile text")
struct HostileTextTests {
    @Test("never traps, stays in the buffer, and is the sum of its lines", arguments: 0..<6)
    func random(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let buffer = LineBuffer()
        let page = GuardedText()
        for _ in 0..<1_500 {
            check(HostileTextTests.text(&random), buffer, page)
        }
    }

    @Test(
        "may fill a datagram with whatever needs the most room",
        arguments: [
            "a", "\n", "\r\n", "a\n", "a:1\n", "a:=", ":1", "a:1:", "|", ":", "=", "=1:", "x=1:", "a:1|c\n",
            "a:b=1|c\n", "a:1|c|#\n", "a:1|c|#,\n", "#", ",", ">", "a:1|c|#a>", "@", "%", "%2E", "|c:", "|@1", "|T1",
            "é", "\u{0}", "0", "9", ".", "e", "-", "1e", "_e{", "_sc|", "a:0|c|c:\n",
            "a:1|g\n", "a:1|ms\n", "a:x|s\n", "a:b=1|g\n", "_sc|a|1\n", "_e{1,0}:a|\n", "+", "+1:", "x=+1:",
        ])
    func full(unit: String) {
        let buffer = LineBuffer()
        let page = GuardedText()
        for (prefix, suffix) in [
            ("", ""), ("a:", "|c"), ("a:1", "|c"), ("a:1|c|#", ""), ("a:1|c|c:", ""), ("a:x=1:", ""), ("a:", "|g"),
            ("a:1", "|g"),
            ("a:1:", "1|g"), ("a:x=1:", "x=1|g"), ("a:1:", "1|ms|@0.1"), ("a:", "|s"), ("a:\u{FF}", "|s"),
            ("_sc|", "|1"), ("_sc|a|1|m:", ""), ("_sc|a|1|#", ""),
        ] {
            var text = Array(prefix.utf8)
            while text.count + unit.utf8.count + suffix.utf8.count <= LineBuffer.textBytes { text += unit.utf8 }
            text += suffix.utf8
            page.scan(text, into: buffer)
            expectBounds(buffer)
            for position in 0..<min(buffer.lineCount, 50) { _ = ReadLine(buffer.lines[position], of: buffer) }
        }
    }

    @Test("counts as many values as a datagram can pack")
    func packed() {
        let count = (LineBuffer.textBytes - 4) / 2
        let text = "a" + String(repeating: ":1", count: count) + "|c"
        let lines = ReadLine.all(of: Array(text.utf8))
        #expect(lines.map(\.amounts) == [["a": String(count)]])
        let short = Array(repeating: "a:1|c", count: LineBuffer.textBytes / 6).joined(separator: "\n")
        #expect(ReadLine.all(of: Array(short.utf8)).count == LineBuffer.textBytes / 6)
    }

    @Test(
        "has room for the worst of gauges and members",
        arguments: [
            ("a", ":1", "|g"), ("a", ":1", "|ms"), ("", "a:1|g\n", ""), ("", "a:1|h\n", ""), ("", "a:x|s\n", ""),
            ("", "_sc|a|1\n", ""), ("", "a:b=1|g\n", ""), ("a:", "x", "|s"), ("", "_e{1,0}:a|\n", ""),
        ])
    func worst(head: String, unit: String, tail: String) {
        let count = (LineBuffer.textBytes - head.utf8.count - tail.utf8.count) / unit.utf8.count
        let text = head + String(repeating: unit, count: count) + tail
        let buffer = LineBuffer()
        let page = GuardedText()
        page.scan(Array(text.utf8), into: buffer)
        expectBounds(buffer)
        #expect(buffer.lineCount == (unit.last == "\n" ? count : 1))
        #expect((0..<buffer.lineCount).allSatisfy { buffer.lines[$0].error == nil })
        let values = (0..<buffer.lineCount).reduce(0) { $0 + Int(buffer.lines[$1].valueCount) }
        #expect(values == buffer.valueCount)
    }

    private func check(_ text: [UInt8], _ buffer: LineBuffer, _ page: GuardedText) {
        page.scan(text, into: buffer)
        expectBounds(buffer)
        let whole = (0..<buffer.lineCount).map { ReadLine(buffer.lines[$0], of: buffer) }
        var single: [ReadLine] = []
        for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            for var read in ReadLine.all(of: Array(line), buffer: buffer) {
                read.number = UInt32(index + 1)
                single.append(read)
            }
        }
        #expect(whole == single)
        for read in whole {
            guard let name = read.name else { continue }
            let count = max(read.sums.count, read.values.count, read.steps.count, read.member == nil ? 0 : 1)
            #expect(count == name.metrics.count)
            #expect((try? SeriesNameParser.parse(SeriesNameEncoder.identity(of: name))) == name)
        }
    }

    /// What `LineBuffer` promises to have room for.
    private func expectBounds(_ buffer: LineBuffer) {
        #expect(buffer.identityCount <= LineBuffer.textBytes)
        #expect(buffer.valueCount <= LineBuffer.textBytes)
        #expect(buffer.memberCount <= LineBuffer.textBytes)
        #expect(buffer.lineCount <= LineBuffer.textBytes / 2 + 1)
        for position in 0..<buffer.lineCount where buffer.lines[position].error == nil {
            let line = buffer.lines[position]
            #expect(Int(line.valuesStart + line.valueCount) <= buffer.valueCount)
            let stride: UInt32 = line.kind == .gauge || line.kind == .set ? 2 : 1
            #expect(line.valueCount % (stride * UInt32(line.slotCount)) == 0)
            if line.kind == .set {
                let start = Int(line.valuesStart)
                #expect(buffer.values[start] >= 0 && buffer.values[start + 1] > 0)
                #expect(buffer.values[start] + buffer.values[start + 1] <= buffer.memberCount)
            }
        }
    }

    // MARK: Random texts

    private static let good = [
        "a:1|c", "api.users.get:1:2:3|c|@0.1|#env:prod", "Product.42:revenue=12.5:sales=1|c|#country:US,geo:US>CA>SF",
        "x.y:-1.5e3|c|T1700000000", "a%2Eb:x=1|c|#%3A:%3E", "é.ü:7|c|c:in-1|e:x|card:low", "g:1|g", "t:320|ms|@0.5",
        "_e{5,4}:title|text", "_sc|db.up|1", "_sc|db.up|2|d:1700000000|#env:prod|m:x", "g.x:1:+2:-3|g",
        "g:a=1:b=-2|g|#x", "site.users:bob:x=1|s|#env:prod", "t:db=1:render=2.5|h|@0.1", "a.b:hits=2|c|#a,a,b:,",
    ]
    private static let alphabet = Array("abc.:|,#=>@/%T_19-+e\n\r;c".utf8)

    private static func text(_ random: inout SplitMix) -> [UInt8] {
        switch random.below(4) {
        case 0: return (0..<random.below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        case 1: return (0..<random.below(200)).map { _ in random.pick(alphabet) }
        default:
            var text: [UInt8] = []
            for _ in 0...random.below(6) { text += Array(random.pick(good).utf8) + [0x0A] }
            for _ in 0..<random.below(5) where !text.isEmpty { mutate(&text, &random) }
            return text
        }
    }

    private static func mutate(_ text: inout [UInt8], _ random: inout SplitMix) {
        let place = random.below(text.count)
        switch random.below(5) {
        case 0: text[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: text[place] = random.pick(alphabet)
        case 2: text.remove(at: place)
        case 3: text.insert(random.pick(alphabet), at: place)
        default:
            text.insert(
                contentsOf: text[place..<min(place + random.below(20), text.count)], at: random.below(text.count))
        }
    }
}

/// Memory whose end is the end of what may be read: a byte too far is a fault.
///
/// Used by one test at a time.
private final class GuardedText {
    private let start: UnsafeMutableRawPointer
    private let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))
    private let usableBytes: Int

    init() {
        usableBytes = (LineBuffer.textBytes + pageBytes) / pageBytes * pageBytes
        guard
            let memory = mmap(
                nil, usableBytes + pageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            memory != MAP_FAILED
        else { preconditionFailure("the system has no memory for a test") }
        start = memory
        mprotect(memory + usableBytes, pageBytes, PROT_NONE)
    }

    deinit { munmap(start, usableBytes + pageBytes) }

    func scan(_ text: [UInt8], into buffer: LineBuffer) {
        let place = (start + usableBytes - text.count).assumingMemoryBound(to: UInt8.self)
        place.update(from: text, count: text.count)
        LineScanner(seed: 7).scan(UnsafeBufferPointer(start: place, count: text.count), into: buffer)
    }
}
