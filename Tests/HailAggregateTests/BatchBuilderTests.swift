import HailAggregate
import HailCore
import HailSeal
import Testing

@Suite("Batches")
struct BatchBuilderTests {
    private static let now: Int64 = 1_700_000_000
    private let condition = BatchGroup.Condition(onceID: Digest(high: 7, low: 8), keptSeconds: 3_600)

    @Test(
        "keep to the limit of cells, number themselves densely, and cover the window on the last",
        arguments: [1, 3, 10, 2_000])
    func limit(cellLimit: Int) throws {
        let flow = Flow(ladder: try Ladder(parsing: Ladder.standardText))
        let text = (0..<40).map { "shop.p\($0 % 3):n=1|c|#v:\($0)" }.joined(separator: "\n")
        let batches = flow.once(text, at: BatchBuilderTests.now, cellLimit: cellLimit)
        for (_, ofShard) in Dictionary(grouping: batches, by: \.shard) {
            #expect(ofShard.map(\.sequence) == Array(1...UInt64(ofShard.count)))
            #expect(ofShard.dropLast().allSatisfy { $0.covers.isEmpty })
            #expect(ofShard.last?.covers == [1])
            for batch in ofShard {
                #expect(batch.cellCount <= cellLimit)
                let adds = batch.groups.flatMap(\.entries).filter { $0.operation == .add }.flatMap(\.items)
                #expect(Int(batch.cellCount) == adds.count)
                #expect(batch.groups.allSatisfy { $0.condition == nil && !$0.entries.isEmpty })
            }
        }
        // Two metrics in five resolutions: at `_` and `v` of four subjects, and at 40 values of `shop` and of a product.
        let cellCount = batches.reduce(0) { $0 + Int($1.cellCount) }
        #expect(cellCount == 2 * 5 * (4 * 2 + 40 + 40))
    }

    @Test("keep to the limit when one counter has values in many buckets, or one subject many children")
    func oneOfMany() throws {
        let flow = Flow(ladder: try Ladder(parsing: "1s:1d"))
        let times = (0..<5_000).map { "s:hits=1|c|T\(BatchBuilderTests.now - Int64($0))" }
        let batches = flow.once(times.joined(separator: "\n"), at: BatchBuilderTests.now, cellLimit: 100)
        #expect(batches.allSatisfy { $0.cellCount <= 100 })
        let cellCount = batches.reduce(0) { $0 + Int($1.cellCount) }
        #expect(cellCount == 5_001)
        let children = (0..<5_000).map { "root.c\($0):hits=1|c" }
        let named = flow.once(children.joined(separator: "\n"), at: BatchBuilderTests.now, cellLimit: 100)
        let sizes = named.map { batch in batch.groups.flatMap(\.entries).reduce(0) { $0 + $1.items.count } }
        #expect(sizes.allSatisfy { $0 <= 210 })
        let entries = named.flatMap(\.groups).flatMap(\.entries)
        let childCount = entries.filter { $0.operation == .child }.flatMap(\.items).count
        #expect(childCount == 5_001)
    }

    @Test("keep a conditional group whole, beside others that are cut")
    func conditionalWhole() throws {
        let flow = Flow(ladder: try Ladder(parsing: Ladder.standardText))
        flow.add("t:a=1:b=2|c|#x:1,y:2>3")
        _ = flow.pending.fold(flow.close(startSeconds: BatchBuilderTests.now, condition: condition))
        flow.add("t:a=1:b=2|c|#x:1,y:2>3")
        _ = flow.pending.fold(flow.close(startSeconds: BatchBuilderTests.now))
        let batches = flow.flush(nowSeconds: BatchBuilderTests.now, cellLimit: 4)
        let groups = batches.filter { $0.shard == Shard(subject: NameDigest.blake2b(CellName.subjectBytes(["t"]))) }
            .flatMap(\.groups)
        let conditional = groups.filter { $0.condition != nil }
        #expect(conditional.map(\.condition) == [condition])
        let cells = conditional.flatMap(\.entries).filter { $0.operation == .add }.flatMap(\.items).count
        #expect(cells == 3 * 6 * 5)
        #expect(groups.count > 10)
    }

    @Test("name again what a conditional group named, since the store may have left it out")
    func conditionalNames() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder)
        var store = StoreModel()
        var model = CountedEvents(ladder: ladder)
        // Another event used up the once-id in that shard.
        for batch in flow.once("t:n=1|c|#d:1", at: BatchBuilderTests.now, condition: condition) {
            try store.apply(batch)
        }
        for batch in flow.once("t:m=1|c|#d:2", at: BatchBuilderTests.now, condition: condition) {
            try store.apply(batch)
        }
        for batch in flow.once("t:m=1|c|#d:2", at: BatchBuilderTests.now) { try store.apply(batch) }
        for (metric, value) in [("n", "1"), ("m", "2")] {
            let event = MadeEvent(
                subject: ["t"], values: [(metric, 1_000_000)], paths: [["d", value]], timeSeconds: nil)
            model.count(event, at: BatchBuilderTests.now, now: BatchBuilderTests.now)
        }
        model.expect(in: store)
    }

    @Test(
        "carry sums of any size",
        arguments: [
            Int128.max, .min, Int128(Int64.max) * 1_000_000, Int128(Int64.min) * 1_000_000,
            Int128(Int64.max) * 2_500_000, Int128(Int64.min) * 2_500_000, 0, 1, -1, 999_999, -1_000_001,
        ])
    func huge(sum: Int128) throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder)
        flow.add("s.x:1|c")
        let window = flow.close(startSeconds: BatchBuilderTests.now)
        window.sums.sums[0] = sum
        _ = flow.pending.fold(window)
        let batches = flow.flush(nowSeconds: BatchBuilderTests.now)
        let items = batches.flatMap(\.groups).flatMap(\.entries)
            .filter { $0.operation == .add && $0.widthSeconds == 0 }.flatMap(\.items)
        let whole = items.filter { $0.field[8] & 0x80 == 0 }.map { Int128($0.value) }
        let millionths = items.filter { $0.field[8] & 0x80 != 0 }.map { Int128($0.value) }
        let rest: Int128 = sum % 1_000_000
        #expect(millionths == (rest == 0 ? [] : [rest]))
        let total: Int128 = whole.reduce(0, +)
        let expected: Int128 = sum / 1_000_000
        let three = Int128(Int64.max) * 3
        if expected.magnitude <= three.magnitude {
            #expect(total == expected)
        } else {
            // More than any cell can take, whatever is in it: the store refuses it by name.
            #expect(total.magnitude >= three.magnitude)
        }
    }

    @Test("are there even where there is nothing left to write")
    func empty() throws {
        let book = CellBook(ladder: try Ladder(parsing: "10s:1h"), digester: NameDigest.blake2b)
        let builder = BatchBuilder(book: book, agent: Flow.agent, nowSeconds: 0)
        let batches = builder.batches(of: PendingShard(), shard: Shard(3), firstSequence: 9)
        #expect(batches.map(\.sequence) == [9])
        #expect(batches.first?.groups == [])
    }

    @Test("take thousands of names in a page in time that grows with them", .timeLimit(.minutes(1)))
    func manyNames() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"))
        for first in stride(from: 0, to: 20_000, by: 1_000) {
            flow.add((first..<(first + 1_000)).map { "s.x:1|c|#v:\($0)" }.joined(separator: "\n"))
        }
        _ = flow.pending.fold(flow.close(startSeconds: BatchBuilderTests.now))
        let batches = flow.flush(nowSeconds: BatchBuilderTests.now, cellLimit: 1_000_000)
        let named = batches.flatMap(\.groups).flatMap(\.entries).filter {
            $0.operation == .name && $0.widthSeconds == 0
        }
        // The values, their dimension and the metric.
        #expect(named.flatMap(\.items).count == 20_002)
    }
}
