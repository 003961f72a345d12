import HailAggregate
import HailCore
import HailWire
import Testing

@Suite("Series table")
struct SeriesTableTests {
    private let name = SeriesName(subject: ["s"], metrics: ["x"], kind: .counter, paths: [])

    @Test("finds every one of a hundred thousand series, and no other")
    func many() {
        let table = SeriesTable(limit: 200_000)
        let scanner = LineScanner(seed: 77)
        var random = SplitMix(seed: 1)
        var model: [Int: Int] = [:]
        for _ in 0..<150_000 {
            let number = random.below(130_000)
            let index = SeriesTableTests.withIdentity(number, &random) { identity, count in
                let hash = scanner.hash(identity, count: count)
                return table.find(identity, count: count, hash: hash)
                    ?? table.insert(identity, count: count, hash: hash, name: name)
            }
            if model[number] == nil { model[number] = model.count }
            #expect(index == model[number])
        }
        #expect(table.count == model.count)
        for number in stride(from: 0, to: 140_000, by: 7) {
            let found = SeriesTableTests.withIdentity(number, &random) { identity, count in
                table.find(identity, count: count, hash: scanner.hash(identity, count: count))
            }
            #expect(found == model[number])
        }
    }

    @Test(
        "tells series apart whose hashes are equal, wholly or by half",
        arguments: [0, UInt64.max << 32, 0xFFF, UInt64.max])
    func collisions(mask: UInt64) {
        let table = SeriesTable(limit: 10_000)
        var random = SplitMix(seed: mask)
        var hashes: [UInt64] = []
        for number in 0..<2_000 {
            hashes.append(random.next() & mask)
            let index = SeriesTableTests.withIdentity(number, &random) { identity, count in
                #expect(table.find(identity, count: count, hash: hashes[number]) == nil)
                return table.insert(identity, count: count, hash: hashes[number], name: name)
            }
            #expect(index == number)
        }
        for number in 0..<2_000 {
            let found = SeriesTableTests.withIdentity(number, &random) { identity, count in
                table.find(identity, count: count, hash: hashes[number])
            }
            #expect(found == number)
        }
    }

    @Test("is full at its limit of series, or of bytes")
    func limits() {
        var random = SplitMix(seed: 2)
        let few = SeriesTable(limit: 3)
        for number in 0..<3 {
            #expect(!few.isFull)
            SeriesTableTests.withIdentity(number, &random) { _ = few.insert($0, count: $1, hash: 1, name: name) }
        }
        #expect(few.isFull)
        let long = SeriesTable(limit: 100)
        let identity = [UInt8](repeating: 0x61, count: 65_507 + 8)
        var count = 0
        while !long.isFull, count < 100 {
            identity.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                _ = long.insert(base, count: 65_507, hash: UInt64(count), name: name)
            }
            count += 1
        }
        #expect(count == 17)
    }

    @Test("keeps places for shorter names: so many a stage, whatever the others took, and any number of the last")
    func reserves() {
        var random = SplitMix(seed: 3)
        let table = SeriesTable(limit: 2)
        for number in 0..<2 {
            SeriesTableTests.withIdentity(number, &random) { _ = table.insert($0, count: $1, hash: 1, name: name) }
        }
        for stage in FoldedName.Stage.allCases {
            var places = 0
            while places < 100, table.reserve(stage, byteCount: 20) {
                SeriesTableTests.withIdentity(1_000 + places, &random) {
                    _ = table.insert($0, count: $1, hash: 1, name: name)
                }
                places += 1
            }
            #expect(places == (stage == .all ? 100 : 64))
        }
        let long = SeriesTable(limit: 1_600)
        #expect(long.reserve(.tags, byteCount: 12_000) && !long.reserve(.tags, byteCount: 1_000))
        #expect(long.reserve(.subject, byteCount: 1_000))
    }

    @Test("begins anew with the series that were in use, at their old hashes and sums of their own")
    func renewed() throws {
        let scanner = LineScanner(seed: 5)
        var random = SplitMix(seed: 4)
        let old = SeriesTable(limit: 10_000)
        for number in 0..<5_000 {
            SeriesTableTests.withIdentity(number, &random) {
                let index = old.insert($0, count: $1, hash: scanner.hash($0, count: $1), name: name)
                if number % 3 == 0 { old.add([1], to: index, timeSeconds: nil) }
            }
        }
        _ = old.close(nextSums: WindowSums())
        let (table, carried) = old.renewed(windows: 1)
        let expected = Array(stride(from: UInt32(0), to: 5_000, by: 3))
        #expect(carried.map(\.oldIndex) == expected)
        #expect(
            carried.map { String(decoding: $0.identity, as: UTF8.self) }
                == expected.map { number in
                    SeriesTableTests.withIdentity(Int(number), &random) {
                        String(decoding: UnsafeBufferPointer(start: $0, count: $1), as: UTF8.self)
                    }
                })
        for number in 0..<5_000 {
            let found = SeriesTableTests.withIdentity(number, &random) {
                table.find($0, count: $1, hash: scanner.hash($0, count: $1))
            }
            #expect(found == (number % 3 == 0 ? number / 3 : nil))
        }
        #expect(table.close(nextSums: WindowSums()).newSeries.isEmpty)
        #expect(table.renewed(windows: 600).carried.count == carried.count, "what went over is not idle at once")
    }

    @Test("sums by slot and by time, and hands out each window once")
    func sums() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"))
        #expect(
            flow.add("a:x=1:y=2.5|c\nb:1:2:3|c\na:x=4:y=-1|c\nb:7|c|T1700000009\nb:1:1|c|T1700000001\nbad") == [
                .missingValue
            ])
        let first = flow.close(startSeconds: 0)
        #expect(first.eventCount == 5)
        #expect(first.newSeries.map { String(decoding: $0.identity, as: UTF8.self) } == ["a:x=:y=|c", "b:|c"])
        #expect(first.sums.touched == [0, 1])
        #expect((0..<4).map { first.sums.sums[$0] } == [5_000_000, 1_500_000, 2_000_000, 6_000_000])
        #expect(first.sums.timed.values.map { $0 } == [9_000_000])
        #expect(first.sums.timed.keys.first?.startSeconds == 1_700_000_000)
        flow.add("b:5|c")
        let second = flow.close(startSeconds: 1)
        #expect(second.newSeries.isEmpty)
        #expect(second.sums.touched == [1])
        #expect(second.sums.sums[0] == 5_000_000)
        #expect(flow.close(startSeconds: 2).sums.isEmpty)
        #expect(flow.lanes[0].table.idleShare(windows: 1) == 1)
        #expect(flow.lanes[0].table.idleShare(windows: 2) == 0.5)
        #expect(flow.lanes[0].table.idleShare(windows: 3) == 0)
    }

    @Test("sums the same when so many series are known that lines are looked up ahead")
    func ahead() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"))
        var random = SplitMix(seed: 9)
        var identities: [String] = []
        // In the second window most are known, and get a place among its sums as they are added.
        for second in 0..<2 {
            var model: [Int: Int128] = [:]
            for round in 0..<3 {
                var lines: [String] = []
                for number in 0..<20_000 {
                    let series = round == 0 ? number : random.below(20_500)
                    let value = random.below(1_000)
                    model[series, default: 0] += Int128(value) * 1_000_000
                    lines.append("s.x\(series):\(value)|c|#t:\(series % 50)")
                    if number % 1_000 == 0 { lines.append("bad") }
                }
                flow.add(lines.joined(separator: "\n"))
            }
            let window = flow.close(startSeconds: Int64(second))
            identities += window.newSeries.map { String(decoding: $0.identity, as: UTF8.self) }
            #expect(window.eventCount == 60_000)
            #expect(window.sums.touched.count == model.count)
            for (place, index) in window.sums.touched.enumerated() {
                let series = try #require(Int(identities[Int(index)].dropFirst(3).prefix { $0 != ":" }))
                #expect(window.sums.sums[place] == model[series])
            }
        }
    }

    @Test("does not call a series idle whose values all come with a time, nor sum it twice")
    func timedIsActive() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"))
        for second in 0..<5 {
            flow.add("a.x:1|c|T1700000000")
            if second == 4 { flow.add("a.x:2|c\na.x:1|c|T1700000000\na.x:3|c") }
            let window = flow.close(startSeconds: Int64(second))
            #expect(window.sums.touched == (second == 4 ? [0] : []))
            if second == 4 { #expect(window.sums.sums[0] == 5_000_000) }
            if second > 1 { #expect(flow.lanes[0].table.idleShare(windows: 2) == 0) }
        }
    }

    @Test("says when a window has timed values enough")
    func timed() throws {
        let flow = Flow(ladder: try Ladder(parsing: "1s:1d"))
        for first in stride(from: 0, to: 66_000, by: 3_000) {
            #expect(flow.lanes[0].table.isWindowFull == (first >= SeriesTable.timedLimit))
            flow.add((first..<(first + 3_000)).map { "s.x:1|c|T\($0)" }.joined(separator: "\n"))
        }
        #expect(flow.lanes[0].table.isWindowFull)
    }

    /// An identity of its own for each number, of many lengths, followed by bytes that mean nothing.
    @discardableResult
    private static func withIdentity<Value>(
        _ number: Int, _ random: inout SplitMix, _ body: (UnsafePointer<UInt8>, Int) -> Value
    ) -> Value? {
        let text = Array("\(number).series".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: number % 19)
        let padding = random.next()
        let padded = text + (0..<8).map { UInt8(truncatingIfNeeded: padding >> ($0 * 8)) }
        return padded.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { body($0, text.count) }
        }
    }
}
