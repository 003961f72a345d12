import HailCore
import HailSeal
import HailWire
import Testing

@testable import HailAggregate

@Suite("Sums of one gauge or timer")
struct KindSumsTests {
    /// A step as `set 5 @ 3` is `(5, false, 3)`.
    @Test(
        "of a gauge are the newest value and what moved it since",
        arguments: [
            ([(5, false, 1)], 5, 0), ([(5, false, 1), (2, true, 2)], 7, 0), ([(2, true, 1)], nil, 2),
            ([(2, true, 1), (3, true, 1)], nil, 5), ([(2, true, 1), (5, false, 2)], 5, 0),
            ([(5, false, 2), (9, false, 1)], 5, 0), ([(5, false, 1), (9, false, 1)], 9, 0),
            ([(0.1, false, 1), (0.2, true, 1)], 0.3, 0), ([(1e-9, false, 1), (1e-9, true, 1)], 2e-9, 0),
            ([(1e9, false, 1), (0.1, true, 1), (-1e9, true, 1)], 0.1, 0),
            // A move that came before the older value it starts from.
            ([(2, true, 5), (5, false, 1)], 7, 0), ([(2, true, 5), (5, false, 1), (1, true, 6)], 8, 0),
            ([(1.7e308, false, 1), (1.7e308, true, 2)], 1.7e308, 0),
        ] as [([(Double, Bool, Int64)], Double?, Double)])
    func moves(steps: [(Double, Bool, Int64)], value: Double?, move: Double) {
        var whole = GaugeMoves()
        var parts = GaugeMoves()
        for (number, isMove, millis) in steps {
            var part = GaugeMoves()
            if isMove {
                whole.move(by: number, timeMillis: millis)
                part.move(by: number, timeMillis: millis)
            } else {
                whole.set(number, timeMillis: millis)
                part.set(number, timeMillis: millis)
            }
            parts.merge(part)
        }
        #expect(whole.value == value && whole.move == move && whole.timeMillis == steps.map(\.2).max())
        #expect(parts == whole)
    }

    @Test("of a timer are the same in whatever order and grouping", arguments: 0..<4)
    func laws(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<100 {
            let samples = (0..<20).map { _ in
                (Int64(random.below(1_000)) * 1_000_000, Int64(1 + random.below(9)) * 1_000_000)
            }
            let sums = [samples, samples.shuffled(using: &random)].map { order in
                let halves = [order.prefix(7), order.dropFirst(7)].map { half in
                    half.reduce(into: TimerSums()) { $0.add($1.0, weightMicros: $1.1) }
                }
                return halves.reduce(into: TimerSums()) { $0.merge($1) }
            }
            #expect(sums[0] == sums[1])
            #expect(sums[0].sketch.values.reduce(0, +) == samples.reduce(0) { $0 + $1.1 })
        }
    }

    @Test("of the largest timers end in the store's hands, not in a trap")
    func huge() throws {
        let ladder = try Ladder(parsing: "10s:1h")
        let flow = Flow(ladder: ladder, sketches: [ladder.finest])
        flow.add("s.x:1|ms\ns.g:1|g")
        let window = flow.close(startSeconds: 1_700_000_000)
        for (value, extra) in [(Int64.max, Int64.max), (.min, .max), (.min, .min), (.max, 1), (.max, .max)] {
            window.sums.samples.append(
                WindowSums.Sample(
                    series: 0, slot: 0, isMove: false, value: value, extra: extra, startSeconds: ScannedLine.noTime))
            for isMove in [true, false] {
                window.sums.samples.append(
                    WindowSums.Sample(
                        series: 1, slot: 0, isMove: isMove, value: value, extra: extra,
                        startSeconds: ScannedLine.noTime))
            }
        }
        _ = flow.pending.fold(window)
        #expect(flow.flush(nowSeconds: 1_700_000_000).allSatisfy { Batch(decoding: $0.encoded[...]) == $0 })
    }

    @Test("come back from the spool as they went in, and make the same cells", arguments: 0..<6)
    func spooled(seed: Int) throws {
        let ladder = try Ladder(parsing: "10s:1h,1m:1d")
        let sketches = [ladder.resolutions[1]]
        var random = SplitMix(seed: UInt64(seed))
        let now: Int64 = 1_700_000_000
        let units = [
            "s.t:%|ms|@0.5|#d:1", "s.t:%|h", "s.g:%|g", "s.g:+%|g", "s.g:-%|g|#d:2", "s.u:%|s|#d:1", "s:a=%:b=2|g",
            "s:a=%:b=2|ms", "s:a=%|c|#d:1", "s.c:%|c", "_sc|s.ok|2", "_e{1,1}:a|b",
        ]
        let lines = (0..<200).map { _ -> String in
            let parts = random.pick(units).split(separator: "%", omittingEmptySubsequences: false)
            let line = parts.joined(separator: "\(random.below(50))")
            let takesTime = !line.hasPrefix("_") && !line.contains("g:+") && random.below(4) == 0
            return line + (takesTime ? "|T\(now - Int64(random.below(3_000)))" : "")
        }
        let direct = Flow(ladder: ladder, sketches: sketches)
        let again = Flow(ladder: ladder, sketches: sketches)
        direct.nowMillis = now * 1_000 + 500
        #expect(direct.add(lines.joined(separator: "\n")) == [])
        let window = direct.close(startSeconds: now)
        let body = direct.pending.body(of: window)
        let read = try #require(WindowBody(decoding: body.encoded))
        #expect(read.encoded == body.encoded)
        _ = direct.pending.fold(window)
        _ = again.pending.fold(try KindSumsTests.rebuilt(read, startSeconds: now))
        var stores = [StoreModel(), StoreModel()]
        for (place, flow) in [direct, again].enumerated() {
            for batch in flow.flush(nowSeconds: now) { try stores[place].apply(batch) }
        }
        #expect(stores[0] == stores[1])
        #expect(!stores[0].members.isEmpty && !stores[0].gauges.isEmpty && !stores[0].extremes.isEmpty)
    }

    /// A window made of its body, as the agent does after a restart.
    static func rebuilt(_ body: WindowBody, startSeconds: Int64) throws -> ClosedWindow {
        let table = SeriesTable(limit: 10_000)
        for series in body.series {
            let name = try SeriesNameParser.parse(series.identity, isAgents: true)
            let padded = series.identity + [UInt8](repeating: 0, count: 8)
            padded.withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress else { return }
                let count = series.identity.count
                let hash = LineScanner(seed: 3).hash(base, count: count)
                let index =
                    table.find(base, count: count, hash: hash)
                    ?? table.insert(base, count: count, hash: hash, name: name)
                if !series.sums.isEmpty { table.add(series.sums, to: index, timeSeconds: series.timeSeconds) }
                table.add(series.samples, to: index)
            }
        }
        let (sums, newSeries) = table.close(nextSums: WindowSums())
        return ClosedWindow(
            id: 1, lane: -1, generation: 1, startSeconds: startSeconds, sums: sums, newSeries: newSeries,
            arena: table.arena, widthSeconds: body.widthSeconds == 0 ? nil : body.widthSeconds)
    }
}
