import HailCore
import Testing

@testable import HailStore

@Suite("Timer cells in the store")
struct TimerScriptTests {
    private let script: TestScript

    init() throws { script = try TestScript() }

    private func strip(_ operation: BatchEntry.Operation, _ items: [(String, Int64)]) -> BatchEntry {
        Sample.entry(operation, items, letter: StoreKey.Letter.timerStrip, page: 4)
    }

    @Test(
        "keep the least and the greatest of two values, whoever comes first",
        arguments: [
            (5, 7), (-5, 7), (-5, -7), (0, 1), (9, 10), (-9, -10), (100, 99), (0, 0), (-1, 1),
            (9_007_199_254_740_992, 9_007_199_254_740_993), (9_000_000_000_000_000_000, 8_999_999_999_999_999_999),
            (-9_007_199_254_740_992, -9_007_199_254_740_993), (.min, .min + 1), (.max, .max - 1), (.min, .max),
            (999_999_999_999_999_999, 1_000_000_000_000_000_000),
            (-999_999_999_999_999_999, -1_000_000_000_000_000_000), (.max, 3), (.min, 3),
        ] as [(Int64, Int64)])
    func extremes(one: Int64, other: Int64) throws {
        for (operation, kept) in [(BatchEntry.Operation.least, min(one, other)), (.greatest, max(one, other))] {
            for (first, second) in [(one, other), (other, one)] {
                let entry = strip(operation, [("7", first), ("8", 1)])
                #expect(try script.apply(entry) == Sample.written(2))
                let next = strip(operation, [("7", second)])
                #expect(try script.apply(next, agent: Sample.otherAgent) == Sample.written(1))
                #expect(try script.text(entry, "7") == String(kept), "\(operation) of \(first), \(second)")
                #expect(try script.text(entry, "8") == "1")
                _ = try script.run("DEL", entry.key(shard: Sample.shard))
            }
        }
    }

    @Test("keep what a table of random values comes to", arguments: 0..<5)
    func randomExtremes(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var values: [Int64] = []
        for _ in 0..<60 {
            let bits = Int64.random(in: 0..<63, using: &random)
            values.append(Int64.random(in: -(1 << bits)...(1 << bits), using: &random))
            values.append((values.last ?? 0) &+ Int64.random(in: -2...2, using: &random))
            try script.apply(
                values.suffix(2).flatMap { value in
                    [
                        strip(.least, [("1", value)]),
                        Sample.entry(.greatest, [("1", value)], letter: StoreKey.Letter.timerStrip, page: 5),
                    ]
                })
        }
        #expect(try script.text(strip(.least, []), "1") == values.min().map { String($0) })
        let greatest = Sample.entry(.greatest, [], letter: StoreKey.Letter.timerStrip, page: 5)
        #expect(try script.text(greatest, "1") == values.max().map { String($0) })
    }

    @Test("sum decimals up, in fields of any bytes")
    func floatSums() throws {
        // A page's field in which every byte is a space.
        let binary = [UInt8](repeating: 0x20, count: 11)
        func entry(_ text: String) -> BatchEntry {
            BatchEntry(
                letter: StoreKey.Letter.page, digest: Sample.subject, widthSeconds: 60, chunk: 5, page: 0,
                expirySeconds: Sample.expirySeconds, operation: .addFloat,
                items: [binary, Array("12".utf8), [0, 10, 13, 0xFF]].map {
                    BatchEntry.Item(field: $0 + [0x20] + Array(text.utf8), value: 0)
                })
        }
        #expect(try script.apply(entry("0.25")) == Sample.written(3))
        #expect(try script.apply(entry("1e3"), agent: Sample.otherAgent) == Sample.written(3))
        #expect(try script.apply(entry("8.1e25")) == Sample.written(3))
        for field in [binary, Array("12".utf8), [0, 10, 13, 0xFF]] {
            let text = try #require(try script.text(entry(""), field))
            let sum = try #require(Double(text))
            #expect(abs(sum / 8.1e25 - 1) < 1e-15)
        }
        #expect(try script.run("HLEN", entry("").key(shard: Sample.shard)) == .integer(3))
    }

    @Test("date a key whose first float is too small to show")
    func smallFloat() throws {
        let entry = strip(.addFloat, [("3 1e-30", 0)])
        #expect(try script.apply(entry) == Sample.written(1))
        #expect(try script.text(entry, "3") == "0")
        let expiry = try script.run("EXPIRETIME", entry.key(shard: Sample.shard))
        #expect(expiry == .integer(Int64(Sample.expirySeconds)))
    }

    @Test("lie whole in a page or in strips, and in a sketch")
    func wholeCell() throws {
        let digest = Digest(high: 0x2020_2020_2020_2020, low: 0)
        func items(_ part: TimerComponent, _ value: Int64, text: String = "") -> [BatchEntry.Item] {
            [BatchEntry.Item(field: PageField.timer(digest, offset: 0x20, part) + Array(text.utf8), value: value)]
        }
        var page = Sample.entry(.add, [], letter: StoreKey.Letter.page)
        var entries: [BatchEntry] = []
        for (operation, parts) in [
            (BatchEntry.Operation.add, items(.count, 2) + items(.sum, 30) + items(.sumMillionths, 500_000)),
            (.least, items(.least, 10_000_000)), (.greatest, items(.greatest, 20_500_000)),
            (.addFloat, items(.squares, 0, text: " 520.25")),
        ] {
            page.operation = operation
            page.items = parts
            entries.append(page)
        }
        entries.append(Sample.entry(.add, [("-17", 1), ("52", 1)], letter: StoreKey.Letter.sketch, chunk: 27_000_000))
        #expect(try script.apply(entries) == Sample.written(8))
        #expect(try script.apply(entries, agent: Sample.otherAgent) == Sample.written(8))
        let kept = try [TimerComponent.count, .sum, .sumMillionths, .least, .greatest, .squares].map { part in
            try script.text(page, PageField.timer(digest, offset: 0x20, part))
        }
        #expect(kept == ["4", "60", "1000000", "10000000", "20500000", "1040.5"])
        #expect(try script.text(entries[4], "-17") == "2")
    }
}
