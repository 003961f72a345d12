import HailCore
import HailWire
import Testing

@testable import HailAgent

@Suite("Spy ring")
struct SpyRingTests {
    private let scanner = LineScanner(seed: 1)

    private func texts(_ ring: SpyRing, after number: UInt64 = 0) -> [(number: UInt64, text: String)] {
        ring.lines(after: number, scanner: scanner, buffer: LineBuffer()).sorted { $0.number < $1.number }
            .map { ($0.number, $0.text) }
    }

    private func note(_ text: String, _ number: UInt64, in ring: SpyRing) {
        Array(text.utf8).withUnsafeBufferPointer { ring.note($0, number: number, millis: 0) }
    }

    @Test("keeps the newest texts whole, as many as it has slots or bytes for", arguments: [10, 300, 1_400])
    func newest(byteCount: Int) {
        let ring = SpyRing()
        func text(_ number: Int) -> String {
            let letter = UInt8(97 + number % 26)
            let head = Array("a.b:\(number)|c|#".utf8)
            let tags = (0..<max(1, byteCount - head.count)).map { $0 % 100 == 50 ? UInt8(ascii: ",") : letter }
            return String(decoding: head + tags, as: UTF8.self)
        }
        for number in 1...3_000 { note(text(number), UInt64(number), in: ring) }
        let kept = texts(ring)
        #expect(kept.last?.number == 3_000)
        #expect(kept.count == kept.last.map { Int($0.number) - Int(kept[0].number) + 1 })
        for entry in kept { #expect(entry.text == text(Int(entry.number))) }
        // At the ring's turn less than one text is skipped.
        #expect(kept.count >= min(1_024, 131_072 / max(byteCount, 14) - 2) && kept.count <= 1_024)
        #expect(texts(ring, after: 2_990).map(\.number) == Array(2_991...3_000))
    }

    @Test("cuts a long text at the end of a line, and leaves out one that has none")
    func long() {
        let ring = SpyRing()
        note((1...200).map { "a.b:\($0)|c" }.joined(separator: "\n"), 1, in: ring)
        note("a.b:1|c|#" + String(repeating: "x", count: 2_000), 2, in: ring)
        note("", 3, in: ring)
        let kept = texts(ring).map(\.text)
        #expect(kept.count > 100 && kept.count < 200)
        #expect(Set(kept).isSubset(of: Set((1...200).map { "a.b:\($0)|c" })))
    }
}
