import HailCore
import HailSeal
import Testing

@testable import HailAggregate

@Suite("Cap of values")
struct ValueCapTests {
    struct Setting: CustomTestStringConvertible {
        var seed: UInt64
        var limit: Int
        /// How many values a dimension has.
        var values: Int
        var agents = 1

        var testDescription: String { "seed \(seed), \(limit) of \(values) values, \(agents) agents" }
    }

    private static let start: Int64 = 1_700_000_000
    private static let ladder = "10s:1h,1m:6h,1h:31d"

    /// One value of every dimension: `geo` is deep, and there are as many other dimensions as values.
    private static func event(_ random: inout SplitMix, values: Int, clock: Int64) -> MadeEvent {
        // The square of an even number favours the first.
        func value() -> Int { random.below(values) * random.below(values) / max(values, 1) }
        return MadeEvent(
            subject: random.pick([["s"], ["s", "t"]]), values: [("n", Int128(1 + random.below(5)) * 500_000)],
            paths: [
                ["geo", "g\(value() % 7)", "r\(value())", "c\(value())"], ["flat", "v\(value())"],
                ["d\(value())", "x"],
            ],
            timeSeconds: random.below(6) == 0 ? clock - Int64(random.below(7_200)) : nil)
    }

    @Test(
        "leaves every parent the sum of its children and of what was refused, at every depth and in every chunk",
        arguments: [
            Setting(seed: 1, limit: 1, values: 5), Setting(seed: 2, limit: 2, values: 9),
            Setting(seed: 3, limit: 12, values: 40), Setting(seed: 4, limit: 30, values: 60, agents: 2),
            Setting(seed: 5, limit: 5, values: 60, agents: 3), Setting(seed: 6, limit: 3_000, values: 20, agents: 2),
        ])
    func sums(setting: Setting) throws {
        let ladder = try Ladder(parsing: ValueCapTests.ladder)
        let flows = (0..<setting.agents).map { _ in Flow(ladder: ladder, valueLimit: setting.limit) }
        var random = SplitMix(seed: setting.seed)
        var registry = AdmissionModel()
        var store = StoreModel()
        var model = CountedEvents(ladder: ladder)
        var clock = ValueCapTests.start
        for round in 0..<60 {
            clock += Int64(random.pick([1, 10, 41, 700]))
            let flow = random.pick(flows)
            let events = (0..<random.below(30)).map { _ in
                ValueCapTests.event(&random, values: setting.values, clock: clock)
            }
            #expect(flow.add(events.map(\.line).joined(separator: "\n")) == [])
            _ = flow.pending.fold(flow.close(startSeconds: clock))
            if random.below(9) == 0 { flow.book.forgetMarks() }
            for batch in flow.flush(nowSeconds: clock, asking: &registry, cellLimit: round % 2 == 0 ? 2_000 : 7) {
                try store.apply(batch)
            }
            for event in events { model.count(event, at: event.timeSeconds ?? clock, now: clock) }
        }
        if setting.limit > 1_000 {
            #expect(flows.allSatisfy { $0.foldedValues == 0 })
            model.expect(in: store)
        } else {
            #expect(flows.contains { $0.foldedValues > 0 })
        }
        ValueCapTests.expectSums(of: model, in: store)
        ValueCapTests.expectCap(setting.limit, in: store)
    }

    /// Expects the children of every group that has cells to add up to it, and no cell besides.
    private static func expectSums(of model: CountedEvents, in store: StoreModel) {
        typealias Cell = CountedEvents.Cell
        var groups: [Cell: Set<[String]>] = [:]
        func overall(_ cell: Cell) -> Cell {
            Cell(subject: cell.subject, group: [], metric: cell.metric, level: cell.level, bucket: cell.bucket)
        }
        for cell in model.sums.keys where !cell.group.isEmpty {
            groups[overall(cell), default: []].insert(cell.group)
            groups[overall(cell), default: []].insert(cell.group.dropLast() + [Reserved.other])
        }
        var rest = store
        var wrong = 0
        for (cell, paths) in groups {
            func take(_ group: [String]) -> Int128 {
                let own = Cell(
                    subject: cell.subject, group: group, metric: cell.metric, level: cell.level, bucket: cell.bucket)
                return rest.take(model.place(of: own)) ?? 0
            }
            var sums: [[String]: Int128] = [:]
            for path in paths { sums[path] = take(path) }
            let overall = take([])
            if overall != model.sums[cell] { wrong += 1 }
            for (parent, children) in Dictionary(grouping: paths, by: { Array($0.dropLast()) }) {
                let sum = children.reduce(0) { $0 + (sums[$1] ?? 0) }
                // Every event has three dimensions.
                let expected = parent.isEmpty ? 3 * overall : sums[parent] ?? 0
                if sum != expected { wrong += 1 }
            }
            for path in paths where path.last != Reserved.other {
                // What is kept is never more than what was counted.
                let own = Cell(
                    subject: cell.subject, group: path, metric: cell.metric, level: cell.level, bucket: cell.bucket)
                if (sums[path] ?? 0) > model.sums[own] ?? 0 { wrong += 1 }
            }
        }
        #expect(wrong == 0, "of \(groups.count) cells")
        #expect(rest.fieldCount == 0)
    }

    private static func expectCap(_ limit: Int, in store: StoreModel) {
        var groups: [[UInt8]: Set<[UInt8]>] = [:]
        for (key, names) in store.names {
            // The page's number, after five colons, does not matter.
            let chunk = Array(key.split(separator: UInt8(ascii: ":")).prefix(6).joined(separator: [UInt8(ascii: ":")]))
            for name in names where name.first == UInt8(ascii: "g") {
                let parts = name.dropFirst().split(separator: 0)
                guard parts.last != Array(Reserved.other.utf8)[...] else { continue }
                let scope = parts.count == 1 ? [] : Array(parts[0])
                groups[chunk + [0] + scope, default: []].insert(name)
            }
        }
        #expect(!groups.isEmpty)
        #expect(groups.values.allSatisfy { $0.count <= limit })
    }

    // MARK: Heavy values

    private func counts(_ flow: Flow, _ registry: inout AdmissionModel, _ text: String, at seconds: Int64) throws {
        flow.add(text)
        _ = flow.pending.fold(flow.close(startSeconds: seconds))
        _ = flow.flush(nowSeconds: seconds, asking: &registry)
    }

    private func isKept(_ value: String, _ registry: AdmissionModel, widthSeconds: Int64 = 0) -> Bool {
        registry.names.contains { chunk, names in
            chunk.widthSeconds == widthSeconds && names.values.contains { $0.contains(Array("gv\0\(value)".utf8)) }
        }
    }

    @Test("admits a value that becomes heavy after the flood, in the places that are kept for such")
    func heavyAfterFlood() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"), valueLimit: 50)
        var registry = AdmissionModel()
        let start = ValueCapTests.start
        try counts(
            flow, &registry, (0..<5_000).map { "s.x:1|c|#v:\($0)" }.joined(separator: "\n"), at: start)
        #expect(registry.names.values.allSatisfy { $0[Array("vv".utf8)]?.count == 45 })
        for second in 1...3 {
            try counts(flow, &registry, "s.x:60|c|#v:late\ns.x:1|c|#v:rare", at: start + Int64(second))
            // 60 of 5,060 is less than a fiftieth; 120 of 5,121 is more, which the next flush asks for.
            #expect(isKept("late", registry) == (second == 3))
        }
        #expect(!isKept("rare", registry))
    }

    @Test("takes the heaviest of more values than fit at once")
    func heaviestFirst() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"), valueLimit: 10)
        var registry = AdmissionModel()
        let lines = (0..<2_000).map { "s.x:\($0 % 500 == 3 ? 7 : 1)|c|#v:\($0)" }
        try counts(flow, &registry, lines.joined(separator: "\n"), at: ValueCapTests.start)
        for value in ["3", "503", "1003", "1503"] { #expect(isKept(value, registry, widthSeconds: 10)) }
        // Two questions: the first page's, then the counted one.
        #expect(registry.askCount == 2)
        try counts(flow, &registry, lines.joined(separator: "\n"), at: ValueCapTests.start + 1)
        #expect(registry.askCount == 2, "a full dimension is not asked about again")
    }

    @Test("asks again in a new chunk, and keeps within it what it admitted")
    func chunks() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"), valueLimit: 2)
        var registry = AdmissionModel()
        let next = (ValueCapTests.start / 3_600 + 1) * 3_600
        try counts(flow, &registry, "s.x:2|c|#v:a\ns.x:2|c|#v:b\ns.x:1|c|#v:c", at: next - 20)
        try counts(flow, &registry, "s.x:1|c|#v:a\ns.x:9|c|#v:c\ns.x:8|c|#v:d", at: next)
        let finest = registry.names.filter { $0.key.widthSeconds == 10 }
        let kept = finest.sorted { $0.key.chunk < $1.key.chunk }.map { $0.value[Array("vv".utf8)] ?? [] }
        #expect(kept == [["a", "b"], ["c", "d"]].map { Set($0.map { Array("gv\0\($0)".utf8) }) })
        #expect(!isKept("c", registry))
    }

    @Test("counts what is refused of timers, sets and gauges as __other__ too")
    func kinds() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder, valueLimit: 1)
        var registry = AdmissionModel()
        var store = StoreModel()
        flow.nowMillis = ValueCapTests.start * 1_000
        flow.gaugeSign = .delta
        let kept = "s.t:5|ms|#v:a\ns.t:5|ms|#v:a\ns.u:m|s|#v:a\ns.u:n|s|#v:a\ns.g:4|g|#v:a\ns.m:+1|g|#v:a"
        let refused = ["b", "c"].map { "s.t:7|ms|#v:\($0)\ns.u:\($0)|s|#v:\($0)\ns.g:9|g|#v:\($0)\ns.m:+2|g|#v:\($0)" }
        flow.add(([kept] + refused).joined(separator: "\n"))
        _ = flow.pending.fold(flow.close(startSeconds: ValueCapTests.start))
        for batch in flow.flush(nowSeconds: ValueCapTests.start, asking: &registry) { try store.apply(batch) }
        #expect(flow.foldedValues == 2)
        func digest(_ value: String, _ metric: String, _ kind: Kind) -> Digest {
            NameDigest.blake2b(
                CellName(subject: ["s"], group: ["v", value], metric: metric, kind: kind).canonicalBytes)
        }
        func gauge(_ value: String, _ metric: String) -> Double? {
            let shard = Shard(subject: NameDigest.blake2b(CellName.subjectBytes(["s"])))
            let key = StoreKey.chunk(
                letter: StoreKey.Letter.gaugeStrip, shard: shard, digest: digest(value, metric, .gauge),
                widthSeconds: 0, chunk: 0)
            return store.gauges[key]?[Array("0".utf8)]?.value
        }
        func members(_ value: String) -> Int? {
            let shard = Shard(subject: NameDigest.blake2b(CellName.subjectBytes(["s"])))
            let key = StoreKey.chunk(
                letter: StoreKey.Letter.members, shard: shard, digest: digest(value, "u", .set), widthSeconds: 0,
                chunk: 0)
            return store.members[key]?.count
        }
        #expect(gauge("a", "g") == 4 && gauge(Reserved.other, "g") == 9 && gauge("b", "g") == nil)
        #expect(gauge("a", "m") == 1)
        #expect(gauge(Reserved.other, "m") == 4)
        #expect(gauge("c", "m") == nil)
        #expect(members("a") == 2 && members(Reserved.other) == 2 && members("b") == nil)
        let count = PageField.timer(digest(Reserved.other, "t", .timer), offset: 0, .count)
        #expect(store.fields.values.compactMap { $0[count] } == [2])
    }
}
