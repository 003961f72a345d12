import HailCore
import HailWire
import Testing

@testable import HailAgent
@testable import HailAggregate
@testable import HailStore

@Suite("Window rebuild")
struct WindowRebuildTests {
    private typealias Series = WindowBody.Series

    /// Nil where the body makes no sense.
    private func events(_ series: Series, startSeconds: Int64 = 1_700_000_000) throws -> Int? {
        var rebuild = WindowRebuild(
            scanner: LineScanner(seed: 1), ladder: try Ladder(parsing: Ladder.standardText))
        let body = WindowBody(condition: nil, series: [series]).encoded
        let window = rebuild.window(
            SpoolRecovery.Window(
                id: 1, startSeconds: startSeconds, eventCount: 1, uncovered: ShardSet([Shard(0)]), outstanding: [],
                body: SpoolLocation(segment: 1, offsetBytes: 0, byteCount: body.count, checksum: 0)),
            holding: body)
        return window.map { $0.newSeries.count }
    }

    private func sample(slot: UInt16 = 0, startSeconds: Int64 = ScannedLine.noTime) -> WindowSums.Sample {
        WindowSums.Sample(
            series: 0, slot: slot, isMove: false, value: 5, extra: 1_000_000, startSeconds: startSeconds)
    }

    @Test("takes what a lane writes")
    func sound() throws {
        #expect(try events(Series(identity: Array("a.b:|c".utf8), timeSeconds: nil, sums: [5])) == 1)
        #expect(try events(Series(identity: Array("a.b:|c".utf8), timeSeconds: 1_600_000_000, sums: [5])) == 1)
        #expect(
            try events(Series(identity: Array("a.b:|ms".utf8), timeSeconds: nil, sums: [], samples: [sample()])) == 1)
    }

    @Test("refuses a window whose time no arithmetic holds", arguments: [Int64.min, -1, .max, 1 << 41])
    func times(seconds: Int64) throws {
        let counter = Series(identity: Array("a.b:|c".utf8), timeSeconds: nil, sums: [5])
        #expect(try events(counter, startSeconds: seconds) == nil)
        // The least number stands for no time.
        guard seconds != ScannedLine.noTime else { return }
        #expect(try events(Series(identity: counter.identity, timeSeconds: seconds, sums: [5])) == nil)
        let timer = Series(
            identity: Array("a.b:|ms".utf8), timeSeconds: nil, sums: [], samples: [sample(startSeconds: seconds)])
        #expect(try events(timer) == nil)
    }

    @Test(
        "refuses sums and samples that a series of the name cannot have",
        arguments: ["a.b:|ms", "a.b:|g", "a.b:|s"])
    func sums(identity: String) throws {
        // Written into the table, they would lie in another series' slots.
        #expect(try events(Series(identity: Array(identity.utf8), timeSeconds: nil, sums: [5])) == nil)
        let beyond = Series(identity: Array(identity.utf8), timeSeconds: nil, sums: [], samples: [sample(slot: 1)])
        #expect(try events(beyond) == nil)
        let counter = Series(identity: Array("a.b:|c".utf8), timeSeconds: nil, sums: [5], samples: [sample()])
        #expect(try events(counter) == nil)
    }
}
