import HailCore
import HailWire
import Testing

@testable import HailAggregate

@Suite("Merged windows")
struct WindowMergeTests {
    private static let now: Int64 = 1_700_000_003

    /// Batches of windows, as they are or merged on their way through the spool into buckets of a width.
    private func store(_ texts: [String], merging width: Int64?) throws -> (StoreModel, Int) {
        let ladder = try Ladder(parsing: "10s:1h,1m:1d,1h:31d")
        let flow = Flow(ladder: ladder, sketches: ladder.resolutions)
        var merge = width.map { WindowMerge(widthSeconds: $0) { SeriesNameParser.kind(of: $0) } }
        for (number, text) in texts.enumerated() {
            flow.nowMillis = (WindowMergeTests.now + Int64(number)) * 1_000
            #expect(flow.add(text).isEmpty)
            let window = flow.close(startSeconds: WindowMergeTests.now + Int64(number))
            if merge == nil {
                _ = flow.pending.fold(window)
            } else {
                let body = try #require(WindowBody(decoding: flow.pending.body(of: window).encoded))
                let isTaken = merge?.add(body, startSeconds: window.startSeconds)
                #expect(isTaken == true)
            }
        }
        var count = 0
        if let merge {
            let body = try #require(WindowBody(decoding: merge.body.encoded))
            #expect(body == merge.body)
            count = body.series.reduce(0) { $0 + 1 + $1.samples.count }
            _ = flow.pending.fold(try KindSumsTests.rebuilt(body, startSeconds: WindowMergeTests.now))
        }
        var store = StoreModel()
        for batch in flow.flush(nowSeconds: WindowMergeTests.now + 60) { try store.apply(batch) }
        return (store, count)
    }

    private static let kinds: [(name: String, text: @Sendable (Int) -> String)] = [
        ("counters", { "s.t:a=\($0):b=0.5|c|#d:v\($0 % 3)\ns.x:1|c|T\(now - 2_000 + Int64($0 % 7))" }),
        ("timers", { "s.t:\($0 % 5)|ms|#d:v\($0 % 3)\ns.t:1.5|ms|@0.5" }),
        ("sets", { "s.u:m\($0 % 5)|s|#d:v\($0 % 3)\ns.u:m\($0)|s" }),
        ("gauges", { "s.g:\($0)|g|#d:v\($0 % 3)\ns.h:\(100 - $0)|g" }),
        ("gauges that move", { "s.g:+\($0)|g\ns.g:\($0 % 4 == 0 ? "7" : "-1")|g\ns.h:+1|g" }),
    ]

    @Test("count what their windows did, cell by cell", arguments: kinds.indices)
    func same(kind: Int) throws {
        let texts = (0..<60).map { WindowMergeTests.kinds[kind].text($0) }
        let (apart, _) = try store(texts, merging: nil)
        let (together, _) = try store(texts, merging: 10)
        let isSame = together == apart
        #expect(isSame, "\(WindowMergeTests.kinds[kind].name)")
    }

    @Test(
        "of a wider bucket count what coarser cells would", arguments: kinds.indices.dropLast(), [60, 3_600] as [Int64])
    func coarse(kind: Int, width: Int64) throws {
        let texts = (0..<60).map { WindowMergeTests.kinds[kind].text($0) }
        let (apart, _) = try store(texts, merging: nil)
        let (together, count) = try store(texts, merging: width)
        func fields(_ store: StoreModel) -> [[UInt8]: [[UInt8]: Int128]] {
            store.fields.filter { key, _ in
                let width = String(decoding: key, as: UTF8.self).split(separator: ":").dropFirst(4).first
                return width == "0"
            }
        }
        let isSame = fields(together) == fields(apart)
        #expect(isSame, "the all-time total")
        #expect(!together.expiries.keys.contains { String(decoding: $0, as: UTF8.self).contains(":10:") })
        #expect(count < 100, "of 240 series and samples")
    }

    @Test("are none where a body makes no sense")
    func senseless() {
        var merge = WindowMerge(widthSeconds: 10) { SeriesNameParser.kind(of: $0) }
        func body(_ identity: String, _ sums: [Int128]) -> WindowBody {
            WindowBody(condition: nil, series: [.init(identity: Array(identity.utf8), timeSeconds: nil, sums: sums)])
        }
        let bodies = [body("a", [1]), body("a:|x", [1]), body("a:|c", [1]), body("a:|c", [1, 2])]
        let taken = bodies.map { merge.add($0, startSeconds: 0) }
        #expect(taken == [false, false, true, false])
    }
}
