import HailCore
import HailSeal
import HailWire
import Testing

@testable import HailAggregate

@Suite("Cells of timers, gauges and sets")
struct KindCellsTests {
    private static let start: Int64 = 1_700_000_000
    private static let ladderText = "10s:1h,1m:1d,1h:31d"

    private func setUp(laneCount: Int = 1) throws -> (flow: Flow, model: KindModel) {
        let ladder = try Ladder(parsing: KindCellsTests.ladderText)
        let sketches = [ladder.resolutions[1], ladder.resolutions[2]]
        return (
            Flow(ladder: ladder, sketches: sketches, laneCount: laneCount),
            KindModel(ladder: ladder, sketches: sketches)
        )
    }

    @Test(
        "hold what timers and sets add up to, however the stream is cut",
        arguments: [(1, 1, 2_000), (2, 3, 40), (3, 2, 3), (4, 1, 1)] as [(UInt64, Int, Int)])
    func addedUp(seed: UInt64, laneCount: Int, cellLimit: Int) throws {
        var (flow, model) = try setUp(laneCount: laneCount)
        var random = SplitMix(seed: seed)
        var store = StoreModel()
        var clock = KindCellsTests.start
        var waiting: [(inout KindModel, Int64) -> Void] = []
        for _ in 0..<60 {
            clock += Int64(random.pick([0, 1, 9, 10, 300]))
            for lane in 0..<laneCount {
                for _ in 0..<random.below(5) {
                    let subject = ["s", "t\(random.below(2))"]
                    let path = random.pick([[], ["beta"], ["geo", "US", "CA"]])
                    let tag = path.isEmpty ? "" : "|#" + path[0] + ":" + path.dropFirst().joined(separator: ">")
                    let isTimed = random.below(3) == 0
                    let seconds = isTimed ? clock - Int64(random.below(8_000)) : clock
                    let sections = tag + (isTimed ? "|T\(seconds)" : "")
                    if random.below(2) == 0 {
                        let micros = Int64(random.below(2_000_000_000)) - 100_000_000
                        let (rate, weight) = random.pick([("", 1), ("|@0.5", 2), ("|@0.01", 100)])
                        let (value, type) = (Amount(micros: Int128(micros)), random.pick(["ms", "h", "d"]))
                        flow.add("s.\(subject[1]).x:\(value)|\(type)\(rate)\(sections)", lane: lane)
                        waiting.append {
                            $0.time(micros, each: Int64(weight) * 1_000_000, subject, path, "x", at: seconds, now: $1)
                        }
                    } else {
                        let member = "m\(random.below(40))"
                        flow.add("s.\(subject[1]).u:\(member)|s|@0.5\(sections)", lane: lane)
                        waiting.append { $0.meet(member, subject, path, "u", at: seconds, now: $1) }
                    }
                }
                _ = flow.pending.fold(flow.close(lane: lane, startSeconds: clock))
            }
            guard random.below(4) == 0 else { continue }
            for batch in flow.flush(nowSeconds: clock, cellLimit: cellLimit) { try store.apply(batch) }
            for count in waiting { count(&model, clock) }
            waiting = []
        }
        for batch in flow.flush(nowSeconds: clock, cellLimit: cellLimit) { try store.apply(batch) }
        for count in waiting { count(&model, clock) }
        #expect(flow.pending.byteCount == 0)
        model.expect(in: store)
    }

    @Test(
        "hold a gauge's value after every step, however often it was set and moved between flushes",
        arguments: [(1, 1, 2_000), (2, 5, 40), (3, 20, 3), (4, 60, 1)] as [(UInt64, Int, Int)])
    func steps(seed: UInt64, patience: Int, cellLimit: Int) throws {
        var (flow, model) = try setUp()
        var random = SplitMix(seed: seed)
        var store = StoreModel()
        var millis = KindCellsTests.start * 1_000
        var waiting: [(inout KindModel, Int64) -> Void] = []
        for step in 1...60 {
            for _ in 0..<random.below(4) {
                millis += Int64(1 + random.below(4_000))
                flow.nowMillis = millis
                let isMove = random.below(3) > 0
                let micros = random.below(2_000_000) - (isMove ? 1_000_000 : 0)
                let value = Double(micros) / 1_000_000
                let text = (isMove && micros >= 0 ? "+" : "") + "\(Amount(micros: Int128(micros)))"
                let at = millis
                flow.add("s.g:\(text)|g")
                _ = flow.pending.fold(flow.close(startSeconds: millis / 1_000))
                waiting.append { $0.gauge(value, isMove: isMove, ["s"], [], "g", millis: at, now: $1) }
            }
            guard step % patience == 0 else { continue }
            let batches = flow.flush(nowSeconds: millis / 1_000, cellLimit: cellLimit)
            for batch in batches { try store.apply(batch) }
            for count in waiting { count(&model, millis / 1_000) }
            waiting = []
            expectSteps(batches)
        }
        model.expect(in: store)
    }

    /// Every `moved` follows its `move`, in one batch, with nothing of the record between; each move has a cell in
    /// every resolution behind it.
    private func expectSteps(_ batches: [Batch]) {
        for group in batches.flatMap(\.groups) {
            var last: BatchEntry?
            for entry in group.entries where entry.letter == StoreKey.Letter.gaugeStrip {
                switch entry.operation {
                case .move:
                    #expect(entry.items.count == 1)
                    last = entry
                case .moved:
                    #expect(last?.digest == entry.digest && last?.items.first?.value == entry.items.first?.value)
                default: last = nil
                }
            }
            let moves = group.entries.filter { $0.operation == .move }.count
            #expect(group.entries.filter { $0.operation == .moved }.count == 3 * moves)
        }
    }

    @Test("hold the newest value of a gauge that is set with times, in whatever order they come", arguments: 0..<4)
    func timed(seed: Int) throws {
        var (flow, model) = try setUp(laneCount: 2)
        var random = SplitMix(seed: UInt64(seed))
        var store = StoreModel()
        let now = KindCellsTests.start
        for seconds in (0..<200).map({ now - 40 * Int64($0) }).shuffled(using: &random) {
            let value = Double(random.below(100))
            let path = random.pick([["beta"], ["geo", "US", "CA"]])
            let tag = path.count == 1 ? "beta" : "geo:US>CA"
            let lane = random.below(2)
            flow.add("s.t:g=\(value)|g|#\(tag)|T\(seconds)", lane: lane)
            _ = flow.pending.fold(flow.close(lane: lane, startSeconds: now))
            model.gauge(value, isMove: false, ["s", "t"], path, "g", millis: seconds * 1_000, now: now)
            if random.below(9) == 0 { for batch in flow.flush(nowSeconds: now) { try store.apply(batch) } }
        }
        for batch in flow.flush(nowSeconds: now) { try store.apply(batch) }
        model.expect(in: store)
    }

    @Test("keep to the limit of a batch, in many buckets and with many members")
    func limits() throws {
        let ladder = try Ladder(parsing: "1s:1d")
        let times = (0..<3_000).map { KindCellsTests.start - Int64($0) }
        for (line, cellCount) in [
            ("s.x:5|ms|T", 3_001), ("s.x:5|g|T", 3_001), ("s.x:a|s|T", 3_001), ("s.x:+1|g|T", 3_001),
        ] {
            let flow = Flow(ladder: ladder, sketches: [ladder.finest])
            flow.add(times.map { "\(line)\($0)" }.joined(separator: "\n"))
            _ = flow.pending.fold(flow.close(startSeconds: KindCellsTests.start))
            let batches = flow.flush(nowSeconds: KindCellsTests.start, cellLimit: 100)
            #expect(batches.allSatisfy { $0.cellCount <= 101 })
            #expect(batches.reduce(0) { $0 + Int($1.cellCount) } == cellCount, "\(line)")
        }
        let flow = Flow(ladder: ladder)
        flow.add((0..<5_000).map { "s.u:m\($0)|s" }.joined(separator: "\n"))
        _ = flow.pending.fold(flow.close(startSeconds: KindCellsTests.start))
        let batches = flow.flush(nowSeconds: KindCellsTests.start, cellLimit: 100)
        let sizes = batches.map { $0.groups.flatMap(\.entries).reduce(0) { $0 + $1.items.count } }
        #expect(sizes.allSatisfy { $0 <= 210 })
        let members = batches.flatMap(\.groups).flatMap(\.entries).filter { $0.operation == .distinct }
        #expect(Set(members.flatMap(\.items).map(\.field)).count == 5_000)
        // A second, where nothing is kept of sets, has no cell of them.
        #expect(batches.reduce(0) { $0 + Int($1.cellCount) } == 1)
    }

    @Test("take the values of a gauge in the order they came, whatever tags each of them had")
    func order() throws {
        var random = SplitMix(seed: 5)
        for round in 0..<20 {
            let flow = try setUp().flow
            var store = StoreModel()
            var expected = 0.0
            // All in one millisecond, so that no time tells them apart.
            for _ in 0..<50 {
                let value = random.below(1_000)
                if random.below(3) == 0 {
                    flow.add("s.g:+\(value)|g")
                    expected += Double(value)
                } else {
                    flow.add("s.g:\(value)|g|#d:\(random.below(4))")
                    expected = Double(value)
                }
            }
            _ = flow.pending.fold(flow.close(startSeconds: KindCellsTests.start))
            for batch in flow.flush(nowSeconds: KindCellsTests.start + 1) { try store.apply(batch) }
            let name = CellName(subject: ["s"], group: [], metric: "g", kind: .gauge)
            let subject = NameDigest.blake2b(CellName.subjectBytes(["s"]))
            let place = StoreModel.Place(
                subject: subject, cell: NameDigest.blake2b(name.canonicalBytes), widthSeconds: 0, chunk: 0, offset: 0)
            let key = StoreKey.chunk(
                letter: StoreKey.Letter.gaugeStrip, shard: place.shard, digest: place.cell, widthSeconds: 0, chunk: 0)
            #expect(store.gauges[key]?[Array("0".utf8)]?.value == expected, "round \(round)")
        }
    }

    @Test("of a gauge in a conditional group stay in it, in order")
    func conditional() throws {
        let flow = try setUp().flow
        let condition = BatchGroup.Condition(onceID: Digest(high: 1, low: 1), keptSeconds: 60)
        flow.add("s.g:+1|g")
        let batches = flow.once(
            "s.g:+1|g\ns.t:5|ms\ns.u:x|s", at: KindCellsTests.start, condition: condition, cellLimit: 1)
        expectSteps(batches)
        let groups = batches.flatMap(\.groups).filter { $0.condition == condition }
        #expect(groups.flatMap(\.entries).filter { $0.operation == .move }.count == 1)
        #expect(groups.count == Set(batches.filter { $0.groups.contains { $0.condition != nil } }.map(\.shard)).count)
    }

    @Test("have their names and those of their groups in the pages of every resolution")
    func names() throws {
        let flow = try setUp().flow
        let entries = flow.once("s.a:1|g|#d:1\ns.b:1|ms|#d:1\ns.c:x|s|#d:1", at: KindCellsTests.start)
            .flatMap(\.groups).flatMap(\.entries).filter { $0.operation == .name }
        #expect(entries.map(\.widthSeconds).sorted() == [0, 10, 60, 3_600])
        for entry in entries {
            #expect(
                Set(entry.items.map { String(decoding: $0.field, as: UTF8.self) })
                    == ["mga", "mtb", "msc", "gd", "gd\u{0}1"])
        }
        #expect(
            flow.once("s.a:2|g|#d:1", at: KindCellsTests.start).flatMap(\.groups).flatMap(\.entries)
                .allSatisfy { $0.operation == .last })
    }

    @Test("fold into coarser ones and lose no sum, no member and no newest value")
    func coarsen() throws {
        for rounds in 0...3 {
            let flow = try setUp().flow
            var store = StoreModel()
            for second in 0..<50 {
                flow.nowMillis = (KindCellsTests.start + Int64(second)) * 1_000
                flow.add("s.t:\(second)|ms\ns.u:m\(second % 7)|s\ns.g:\(second)|g\ns.m:+1|g")
                _ = flow.pending.fold(flow.close(startSeconds: KindCellsTests.start + Int64(second)))
            }
            let before = flow.pending.byteCount
            for _ in 0..<rounds { _ = flow.pending.coarsen() }
            #expect(rounds == 0 ? flow.pending.byteCount == before : flow.pending.byteCount < before)
            for batch in flow.flush(nowSeconds: KindCellsTests.start + 50) { try store.apply(batch) }
            let ladder = flow.book.ladder
            let widths = Set(
                store.gauges.keys.compactMap {
                    String(decoding: $0, as: UTF8.self).split(separator: ":").dropFirst(4).first
                })
            #expect(widths.count == 4 - rounds)
            func place(_ metric: String, _ kind: Kind) -> StoreModel.Place {
                StoreModel.Place(
                    subject: NameDigest.blake2b(CellName.subjectBytes(["s"])),
                    cell: NameDigest.blake2b(
                        CellName(subject: ["s"], group: [], metric: metric, kind: kind).canonicalBytes),
                    widthSeconds: ladder.resolutions.last?.widthSeconds ?? -1, chunk: 0, offset: 0)
            }
            let timer = store.timer(at: place("t", .timer))
            #expect(timer.countMicros == 50_000_000 && timer.sumMicros == 1_225_000_000)
            #expect(timer.least == 0 && timer.greatest == 49_000_000 && timer.squares == 40_425)
            for (metric, value) in [("g", 49.0), ("m", 50)] {
                let place = place(metric, .gauge)
                let key = StoreKey.chunk(
                    letter: StoreKey.Letter.gaugeStrip, shard: place.shard, digest: place.cell, widthSeconds: 0,
                    chunk: 0)
                #expect(store.gauges[key]?[Array("0".utf8)]?.value == value)
            }
            #expect(store.members.values.map(\.count).max() == 7)
        }
    }

    @Test("weigh what they hold while they wait")
    func byteCount() throws {
        var sizes: [Int] = []
        for lines in [
            ["s.x:1|c"], ["s.x:1|g"], ["s.x:1|ms"], (1...100).map { "s.x:\($0 * $0)|ms" },
            (1...1_000).map { "s.x:\($0)|s" },
        ] {
            let flow = try setUp().flow
            flow.add(lines.joined(separator: "\n"))
            _ = flow.pending.fold(flow.close(startSeconds: KindCellsTests.start))
            sizes.append(flow.pending.byteCount)
        }
        #expect(sizes == sizes.sorted() && Set(sizes).count == sizes.count)
        #expect(sizes[0] >= 16 && sizes[1] >= 24 && sizes[2] >= 64 && sizes[2] < 400)
        #expect(sizes[3] > 1_000 && sizes[3] < 20_000 && sizes[4] >= 8_000 && sizes[4] < 64_000)
    }

    @Test("count a message as an event, and nowhere")
    func messages() throws {
        let flow = try setUp().flow
        #expect(flow.add("_e{1,1}:a|b\n_e{1,1}:c|d") == [])
        let window = flow.close(startSeconds: KindCellsTests.start)
        #expect(window.eventCount == 2 && !window.sums.isEmpty)
        #expect(flow.pending.fold(window) == [])
        #expect(flow.flush(nowSeconds: KindCellsTests.start) == [])
    }
}
