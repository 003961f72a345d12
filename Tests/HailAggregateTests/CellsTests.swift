import HailAggregate
import HailCore
import HailSeal
import HailWire
import Testing

/// Zones whose midnights lie in the time that the tests make events of.
let madeZones = [
    ZoneRules(name: "Test/Nepal", offsetSeconds: 20_700),
    ZoneRules(
        name: "Test/Back", offsetSeconds: -36_000,
        transitions: [ZoneRules.Transition(atSeconds: 1_700_010_000, offsetSeconds: -39_600)]),
    ZoneRules(
        name: "Test/Forth", offsetSeconds: 7_200,
        transitions: [ZoneRules.Transition(atSeconds: 1_699_999_200, offsetSeconds: 10_800)]),
]

@Suite("Cells")
struct CellsTests {
    struct Setting: CustomTestStringConvertible {
        var seed: UInt64
        var ladder: String
        var laneCount: Int
        var cellLimit: Int
        /// How many windows gather before a flush, at most.
        var patience: Int
        /// Zones whose days are kept.
        var zones: [ZoneRules] = []

        var testDescription: String { "seed \(seed), \(laneCount) lanes, \(cellLimit) cells, \(patience) windows" }
    }

    @Test(
        "hold exactly what the events add up to, however the stream is cut",
        arguments: [
            Setting(seed: 1, ladder: Ladder.standardText, laneCount: 1, cellLimit: 2_000, patience: 1),
            Setting(seed: 1, ladder: Ladder.standardText, laneCount: 3, cellLimit: 7, patience: 9),
            Setting(seed: 2, ladder: Ladder.standardText, laneCount: 2, cellLimit: 1, patience: 3),
            Setting(seed: 3, ladder: "1s:60s,10s:1h", laneCount: 3, cellLimit: 50, patience: 20),
            Setting(seed: 4, ladder: "1s:1d", laneCount: 2, cellLimit: 300, patience: 40),
            Setting(seed: 5, ladder: "7s:70s,21s:1h,42s:1d", laneCount: 4, cellLimit: 90, patience: 5),
            Setting(
                seed: 6, ladder: "10s:1h,1d:2y,2d:3y", laneCount: 2, cellLimit: 40, patience: 7, zones: madeZones),
        ])
    func exact(setting: Setting) throws {
        let ladder = try Ladder(parsing: setting.ladder).keepingDays(
            of: setting.zones, nowSeconds: 1_700_000_000, digester: NameDigest.blake2b)
        #expect(setting.zones.isEmpty || ladder.resolutions.count == 3 + 2 * setting.zones.count + 1)
        let flow = Flow(ladder: ladder, laneCount: setting.laneCount)
        var random = SplitMix(seed: setting.seed)
        var model = CountedEvents(ladder: ladder)
        var store = StoreModel()
        var clock: Int64 = 1_700_000_000
        var unwritten: [(event: MadeEvent, seconds: Int64)] = []
        var windowsWaiting = 0
        var sequences: [Shard: UInt64] = [:]
        for _ in 0..<120 {
            clock += Int64(random.pick([0, 1, 1, 9, 10, 41, 700]))
            for lane in 0..<setting.laneCount {
                let events = (0..<random.below(8)).map { _ in CellsTests.event(&random, clock: clock) }
                #expect(flow.add(events.map(\.line).joined(separator: "\n"), lane: lane) == [])
                unwritten += events.map { ($0, $0.timeSeconds ?? clock) }
                let window = flow.close(lane: lane, startSeconds: clock)
                #expect(window.eventCount == events.count)
                let parts = flow.pending.fold(window)
                #expect(parts.isEmpty == events.isEmpty)
                windowsWaiting += 1
            }
            guard windowsWaiting >= setting.patience * setting.laneCount || random.below(10) == 0 else { continue }
            windowsWaiting = 0
            for batch in flow.flush(nowSeconds: clock, cellLimit: setting.cellLimit) {
                sequences[batch.shard, default: 0] += 1
                #expect(batch.sequence == sequences[batch.shard])
                try store.apply(batch)
            }
            for (event, seconds) in unwritten { model.count(event, at: seconds, now: clock) }
            unwritten = []
        }
        for batch in flow.flush(nowSeconds: clock, cellLimit: setting.cellLimit) { try store.apply(batch) }
        for (event, seconds) in unwritten { model.count(event, at: seconds, now: clock) }
        #expect(flow.pending.entryCount == 0)
        model.expect(in: store)
    }

    private static func event(_ random: inout SplitMix, clock: Int64) -> MadeEvent {
        let subject = (0...random.below(3)).map { "s\($0)\(random.below(3))" }
        var metrics = ["revenue", "sales", "hits"].filter { _ in random.below(2) == 0 }
        if metrics.isEmpty { metrics = ["sales"] }
        let values = metrics.map { metric -> (String, Int128) in
            let micros: Int128 =
                switch random.below(4) {
                case 0: Int128(random.below(2_000_000)) - 1_000_000
                case 1: Int128(random.below(5)) * 1_000_000
                case 2: 9_000_000_000_000_000_000
                default: Int128(random.below(1_000_000)) * -1_000_000
                }
            return (metric, micros)
        }
        var paths: [[String]] = []
        for _ in 0..<random.below(4) {
            // Every path of a dimension has its full depth, so that which groups are full does not depend on the line.
            paths.append(
                random.below(2) == 0 ? ["beta"] : ["geo", random.pick(["US", "BR"]), random.pick(["CA", "SF", "X"])])
        }
        let time: Int64? =
            random.below(3) == 0 ? clock + 600 - Int64(random.below(random.pick([1_000, 8_000, 200_000]))) : nil
        return MadeEvent(subject: subject, values: values, paths: paths, timeSeconds: time)
    }

    @Test("are written to a strip once a counter is dense, and to overflow pages once a subject has many")
    func places() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder)
        var store = StoreModel()
        var model = CountedEvents(ladder: ladder)
        let start: Int64 = 1_700_000_000 / 3_600 * 3_600
        for step in 0..<20 {
            let seconds = start + Int64(step) * 10
            let tags = (0..<(step == 3 ? 400 : 2)).map { ["tag", "v\($0)"] }
            let events = tags.map {
                MadeEvent(subject: ["s"], values: [("n", 1_500_000)], paths: [$0], timeSeconds: nil)
            }
            for event in events { model.count(event, at: seconds, now: seconds) }
            for batch in flow.once(events.map(\.line).joined(separator: "\n"), at: seconds) { try store.apply(batch) }
        }
        let keys = store.fields.keys.map { String(decoding: $0, as: UTF8.self) }
        let pages = keys.filter { $0.contains("}:p:") && $0.contains(":10:") }
        #expect(keys.contains { $0.contains("}:c:") && $0.contains(":10:") })
        #expect(pages.count > 1)
        for page in pages {
            let key = Array(page.utf8)
            #expect((store.fields[key]?.count ?? 0) + (store.names[key]?.count ?? 0) <= 300)
        }
        model.expect(in: store)
    }

    @Test("written again and again in one bucket leave the first page room for others")
    func firstPage() throws {
        let ladder = try Ladder(parsing: "1h:31d")
        let flow = Flow(ladder: ladder)
        var store = StoreModel()
        let start: Int64 = 1_700_000_000 / 3_600 * 3_600
        for step in 0..<600 {
            for batch in flow.once("s:n=1|c", at: start + Int64(step)) { try store.apply(batch) }
        }
        for batch in flow.once("s:other=1|c", at: start + 601) { try store.apply(batch) }
        let pages = store.fields.keys.filter { String(decoding: $0, as: UTF8.self).contains("}:p:") }
        #expect(pages.count == 2)
    }

    @Test("that have expired are not written")
    func expired() throws {
        let ladder = try Ladder(parsing: "10s:1h,1m:1d")
        let now: Int64 = 1_700_000_000
        for (age, widths) in [(0, [10, 60, 0]), (3_590, [10, 60, 0]), (3_620, [60, 0]), (90_000, [0])]
            as [(Int64, Set<UInt32>)]
        {
            let flow = Flow(ladder: ladder)
            flow.add("s:n=1|c|T\(now - age)")
            _ = flow.pending.fold(flow.close(startSeconds: now))
            let batches = flow.flush(nowSeconds: now)
            let entries = batches.flatMap(\.groups).flatMap(\.entries).filter { $0.operation == .add }
            #expect(Set(entries.map(\.widthSeconds)) == widths)
            #expect(entries.allSatisfy { $0.expirySeconds == 0 || Int64($0.expirySeconds) > now })
            #expect(batches.contains { $0.covers == [1] })
        }
    }

    @Test("of names that Unicode calls equal stay apart")
    func unicode() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder)
        var store = StoreModel()
        let (one, two) = ("caf\u{E9}", "cafe\u{301}")
        for batch in flow.once(
            "\(one).x:1|c\n\(two).x:2|c\ns.x:4|c|#d:\(one),d:\(two)\ns.\(one):8|c\ns.\(two):16|c", at: 1_700_000_000)
        {
            try store.apply(batch)
        }
        let model = CountedEvents(ladder: ladder)
        let cells: [([String], [String], String, Int128)] = [
            ([one], [], "x", 1), ([two], [], "x", 2), (["s"], ["d", one], "x", 4), (["s"], ["d", two], "x", 4),
            (["s"], ["d"], "x", 4), (["s"], [], one, 8), (["s"], [], two, 16),
        ]
        for (subject, group, metric, sum) in cells {
            let place = model.place(
                of: .init(subject: subject, group: group, metric: metric, level: 1, bucket: 0))
            #expect(store.take(place) == sum * 1_000_000)
            if group.count == 2 { #expect(store.knows(PageField.group(group), at: place)) }
            if group.isEmpty { #expect(store.knows(PageField.metric(metric, kind: .counter), at: place)) }
        }
    }

    @Test("have names again after the store may have lost them")
    func namesAgain() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder)
        func names(_ line: String) -> Set<[UInt8]> {
            let entries = flow.once(line, at: 1_700_000_000).flatMap(\.groups).flatMap(\.entries)
            return Set(entries.filter { $0.operation != .add }.flatMap(\.items).map(\.field))
        }
        let both = flow.once("t:a=1:b=2|c|#d:1", at: 1_700_000_000).flatMap(\.groups).flatMap(\.entries)
        for entry in both where entry.operation == .name {
            #expect(Set(entry.items.map(\.field)).count == entry.items.count)
        }
        let metric = Array("mcx".utf8)
        let paths = [Array("gd".utf8), Array("gd\0US".utf8)]
        #expect(names("s.x:1|c|#d:US") == Set(paths + [Array("s".utf8), metric]))
        #expect(names("s.x:1|c|#d:US") == [])
        #expect(names("s.x:1|c|#d") == [])
        flow.book.forgetMarks()
        #expect(names("s.x:1|c|#d:US") == Set(paths + [Array("s".utf8), metric]))
    }
}
