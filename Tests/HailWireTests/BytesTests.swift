import CBytes
import Testing

@Suite("Bytes")
struct BytesTests {
    @Test("are marked alike with vectors, without them, and one by one")
    func marks() {
        var random = SplitMix(seed: 5)
        let alphabet = Array(":|\n;{\t\u{0}\u{7F}zk9".utf8) + [0x80, 0xBA, 0xFC, 0x8A, 0xFF]
        for count in Array(0...200) + [4_095, 4_096, 4_097] {
            let text = (0..<count).map { _ in random.pick(alphabet) }
            let words = count / 64 + 1
            var expected = (colons: [UInt64](repeating: 0, count: words), ends: [UInt64](repeating: 0, count: words))
            for (place, byte) in (text + [0]).enumerated() {
                let bit = UInt64(1) << UInt64(place % 64)
                if place == count || byte == UInt8(ascii: ":") { expected.colons[place / 64] |= bit }
                if place == count || byte == UInt8(ascii: "|") || byte == UInt8(ascii: "\n") {
                    expected.ends[place / 64] |= bit
                }
            }
            for mark in [bytes_mark, bytes_mark_portable] {
                var colons = [UInt64](repeating: .max, count: words)
                var ends = colons
                // Of exactly its size, so that a byte too far is seen where addresses are checked.
                text.withUnsafeBufferPointer { buffer in
                    var none: UInt8 = 0
                    withUnsafePointer(to: &none) { mark(buffer.baseAddress ?? $0, count, &colons, &ends) }
                }
                #expect(colons == expected.colons && ends == expected.ends, "\(count)")
            }
        }
    }

    @Test("are equal if all are, wherever the one that differs lies")
    func equality() {
        var random = SplitMix(seed: 6)
        for count in 0..<80 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(bytes_equal(bytes, Array(bytes), count) != 0)
            for place in 0..<count {
                var other = bytes
                other[place] ^= UInt8(1 << random.below(8))
                #expect(bytes_equal(bytes, other, count) == 0, "\(place) of \(count)")
            }
        }
    }

    @Test("have another hash when any of them, their number or the place of their cut is another")
    func hash() {
        var random = SplitMix(seed: 7)
        let seed = bytes_seed(first: 1, second: 2, third: 3)
        var hashes = Set<UInt64>()
        var texts = 0
        for count in 0..<60 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            for cut in 0...count {
                hashes.insert(bytes_hash(bytes, cut, Array(bytes[cut...]), count - cut, seed))
                texts += 1
            }
            for place in 0..<count {
                var other = bytes
                other[place] ^= UInt8(1 << random.below(8))
                hashes.insert(bytes_hash(other, count / 2, Array(other[(count / 2)...]), count - count / 2, seed))
                texts += 1
            }
        }
        #expect(hashes.count == texts)
    }
}
