import HailCore
import HailSeal
import Testing

@testable import HailAggregate

@Suite("Pending cells")
struct PendingCellsTests {
    private static let now: Int64 = 1_700_000_000

    @Test("give up finer widths first, one at a time, keep every coarser sum, and the all-time total to the last")
    func coarsen() throws {
        let ladder = try Ladder(parsing: "10s:1h,1m:1d,1h:31d")
        let widths: [Int64] = [10, 60, 3_600, .max]
        for rounds in 0...4 {
            let flow = Flow(ladder: ladder)
            var random = SplitMix(seed: 1)
            var model = CountedEvents(ladder: ladder)
            var store = StoreModel()
            for step in 0..<30 {
                let seconds = PendingCellsTests.now + Int64(step) * 7
                let event = MadeEvent(
                    subject: ["s", "t\(random.below(3))"], values: [("n", Int128(random.below(9_000_000)))],
                    paths: [["d", "v\(random.below(4))"]], timeSeconds: random.below(4) == 0 ? seconds - 2_000 : nil)
                flow.add(event.line)
                _ = flow.pending.fold(flow.close(startSeconds: seconds))
                model.count(
                    event, at: event.timeSeconds ?? seconds, now: PendingCellsTests.now + 203,
                    finestKept: widths[min(rounds, 3)])
            }
            for round in 0..<rounds {
                let before = flow.pending.entryCount
                let given = flow.pending.coarsen()
                #expect((given > 0) == (round < 3))
                #expect(flow.pending.entryCount <= before)
            }
            for batch in flow.flush(nowSeconds: PendingCellsTests.now + 203) { try store.apply(batch) }
            model.expect(in: store)
        }
    }

    @Test("give up a zone's days where a fold lies in two of them, and count what that cost", arguments: 0...4)
    func coarsenDays(rounds: Int) throws {
        let ladder = try Ladder(parsing: "10s:1h,1m:1d,1h:31d,1d:2y").keepingDays(
            of: madeZones, nowSeconds: PendingCellsTests.now, digester: NameDigest.blake2b)
        let widths: [Int64] = [10, 60, 3_600, 86_400, .max]
        let flow = Flow(ladder: ladder)
        var random = SplitMix(seed: UInt64(rounds))
        var model = CountedEvents(ladder: ladder)
        var store = StoreModel()
        for _ in 0..<60 {
            let seconds = PendingCellsTests.now - Int64(random.below(80_000))
            let event = MadeEvent(
                subject: ["s"], values: [("n", Int128(random.below(9)))], paths: [], timeSeconds: seconds)
            flow.add(event.line)
            _ = flow.pending.fold(flow.close(startSeconds: PendingCellsTests.now))
            model.count(event, at: seconds, now: PendingCellsTests.now, finestKept: widths[rounds])
        }
        var given = 0
        for _ in 0..<rounds { given += flow.pending.coarsen() }
        for batch in flow.flush(nowSeconds: PendingCellsTests.now) { try store.apply(batch) }
        model.expect(in: store)
        // Nepal's days begin at a quarter past, so that they are given up with the minutes where they begin.
        let days = model.sums.keys.count { ladder.resolutions[$0.level].zone?.name == "Test/Nepal" }
        #expect((days > 0) == (rounds < 3))
        #expect((given > 0) == (rounds > 0))
    }

    @Test("of a window from the spool leave out the shards that have them already")
    func residual() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let text = (0..<50).map { "s\($0).x:1|c|#d:1" }.joined(separator: "\n")
        let whole = Flow(ladder: ladder)
        whole.add(text)
        let all = whole.pending.fold(whole.close(startSeconds: PendingCellsTests.now))
        let residual = Set(all.sorted().prefix(all.count / 2)).union([255, 254])
        let part = Flow(ladder: ladder)
        part.add(text)
        let parts = part.pending.fold(part.close(startSeconds: PendingCellsTests.now), residual: residual)
        // All of them: a batch must cover the window wherever the spool owes it, even where nothing is left of it.
        #expect(parts == residual)
        for shard in UInt8.min...UInt8.max {
            let (left, right) = (part.pending.shards[Int(shard)], whole.pending.shards[Int(shard)])
            if residual.contains(shard) {
                #expect(left.spans.mapValues(PendingCellsTests.sums) == right.spans.mapValues(PendingCellsTests.sums))
                #expect(left.windows == [1])
            } else {
                #expect(left.spans.isEmpty)
                #expect(left.windows.isEmpty)
            }
        }
    }

    @Test("take what came under one once-id from the first window that had it")
    func repeats() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"))
        let condition = BatchGroup.Condition(onceID: NameDigest.blake2b([1]), keptSeconds: 60)
        var parts: [Set<UInt8>] = []
        for seconds in [0, 0, 40] as [Int64] {
            flow.add("a.b:x=1|c\na:x=1|c|T1699990000")
            parts.append(
                flow.pending.fold(flow.close(startSeconds: PendingCellsTests.now + seconds, condition: condition)))
        }
        #expect(parts[1] == parts[2])
        for number in parts[2] {
            let shard = flow.pending.shards[Int(number)]
            #expect(shard.windows.count == 3 || shard.claims.isEmpty)
            guard !shard.claims.isEmpty else { continue }
            #expect(shard.claims == [condition.onceID: 1])
            #expect(shard.repeats == [2, 3])
            #expect(shard.spans.values.allSatisfy { $0.sums.allSatisfy { $0 == 1_000_000 } })
        }
    }

    @Test("leave a window whose memory begins at zero when it is used again")
    func again() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"))
        flow.add("a:x=1:y=2|c\nb.z:5|c\nc.t:1|c|T1700000000")
        let window = flow.close(startSeconds: PendingCellsTests.now)
        _ = flow.pending.fold(window)
        flow.pending.clear(window)
        window.sums.removeAll()
        #expect(window.sums.isEmpty && window.sums.timed.isEmpty && window.sums.touched.isEmpty)
        let table = flow.lanes[0].table
        _ = table.close(nextSums: window.sums)
        flow.add("b.z:7|c\na:x=0:y=4|c")
        let (sums, _) = table.close(nextSums: WindowSums())
        #expect(sums === window.sums && sums.touched == [1, 0])
        #expect((0..<4).map { sums.sums[$0] } == [7_000_000, 0, 4_000_000, 1_000_000])
    }

    @Test("set apart what the store is asked about, from what comes meanwhile and from what is given up")
    func due() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"), valueLimit: 5)
        func fold(_ line: String) {
            flow.add(line)
            _ = flow.pending.fold(flow.close(startSeconds: PendingCellsTests.now))
        }
        let shard = Shard(subject: NameDigest.blake2b(CellName.subjectBytes(["s"]))).number
        fold("s.x:1|c|#v:a")
        let ask = try #require(flow.pending.ask(shard: shard, nowSeconds: PendingCellsTests.now))
        fold("s.x:2|c|#v:b")
        #expect(flow.pending.ask(shard: shard, nowSeconds: PendingCellsTests.now) == ask)
        #expect(flow.pending.takeMerging(shard: shard).windows == [2])
        #expect(!flow.pending.isEmpty(shard: shard))
        fold("s.x:4|c|#v:b")
        #expect(flow.pending.dueWindows == [1])
        #expect(flow.pending.take(shard: shard).windows == [1])
        #expect(flow.pending.dueWindows == [])
        #expect(flow.pending.take(shard: shard).windows == [3])
        #expect(flow.pending.isEmpty(shard: shard))
    }

    @Test("forget dropped dimensions before they fan out")
    func dropped() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"), rules: FanOut.Rules(droppedDimensions: ["host"]))
        flow.add("s.x:1|c|#host:a,env:b\ns.x:1|c|#host:c,env:b")
        _ = flow.pending.fold(flow.close(startSeconds: PendingCellsTests.now))
        #expect(flow.pending.entryCount == 3)
    }

    @Test("are the same in whatever order and grouping spans are added")
    func laws() {
        var random = SplitMix(seed: 17)
        for _ in 0..<300 {
            let spans = (0..<6).map { _ -> (SpanSums.Key, SpanSums) in
                var records = Array(UInt32(0)..<8)
                records.shuffle(using: &random)
                let count = random.below(8)
                let span = SpanSums(
                    records: Array(records.prefix(count)),
                    sums: (0..<count).map { _ in Int128(truncatingIfNeeded: random.next()) << Int128(random.below(64)) }
                )
                return (SpanSums.Key(startSeconds: Int64(random.below(3)) * 10, widthSeconds: 10, condition: nil), span)
            }
            let inOrder = PendingCellsTests.merged(spans)
            #expect(PendingCellsTests.merged(spans.shuffled(using: &random)) == inOrder)
            // (a + b) + (c + d): halves are summed apart, then their spans are added.
            let halves = [spans.prefix(3), spans.suffix(3)].map { half -> PendingShard in
                var (shard, places) = (PendingShard(), SpanSums.Places())
                for (key, span) in half { shard.add(span, key: key, &places) }
                return shard
            }
            #expect(PendingCellsTests.merged(halves.flatMap { $0.spans.map { ($0.key, $0.value) } }) == inOrder)
        }
    }

    private static func merged(_ spans: [(SpanSums.Key, SpanSums)]) -> [SpanSums.Key: [UInt32: Int128]] {
        var (shard, places) = (PendingShard(), SpanSums.Places())
        for (key, span) in spans { shard.add(span, key: key, &places) }
        return shard.spans.mapValues(sums)
    }

    private static func sums(_ span: SpanSums) -> [UInt32: Int128] {
        Dictionary(zip(span.records, span.sums), uniquingKeysWith: { _, _ in -1 })
    }
}
