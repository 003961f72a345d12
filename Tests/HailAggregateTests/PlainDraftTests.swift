import Glibc
import HailCore
import HailStore
import Testing

@testable import HailAggregate

@Suite("Plain batches", .timeLimit(.minutes(1)))
struct PlainDraftTests {
    /// The same windows on their way through two flows: one makes plain batches, the other brings the same counters as
    /// they go beside other kinds.
    private final class Twins {
        let plain: Flow
        let mixed: Flow
        private var random: SplitMix
        private var admissions = AdmissionModel()
        var clock: Int64

        init(seed: UInt64, clock: Int64, ladder: String) throws {
            random = SplitMix(seed: seed)
            self.clock = clock
            let ladder = try Ladder(parsing: ladder)
            let valueLimit = seed % 3 == 0 ? 4 : .max
            plain = Flow(ladder: ladder, laneCount: 2, valueLimit: valueLimit)
            mixed = Flow(ladder: ladder, laneCount: 2, valueLimit: valueLimit)
            mixed.isByDraft = true
        }

        private func event() -> MadeEvent {
            let micros: [Int128] = [0, 1_000_000, -3_000_000, 7, -250_000, 9_000_000_000_000_000_000, 1_500_000]
            return MadeEvent(
                subject: random.pick([
                    ["a"], ["a", "b"], ["a", "c\(random.below(40))"], ["d", "\(random.below(60))", "e"],
                ]),
                values: random.pick([["m"], ["m", "hits"], ["n"]]).map { ($0, random.pick(micros)) },
                paths: random.pick([
                    [], [["country", "C\(random.below(9))"]], [["geo", "g\(random.below(3))", "x"], ["beta"]],
                ]),
                timeSeconds: random.below(8) == 0 ? clock - Int64(random.below(9_000)) : nil)
        }

        /// Some windows, and the batches that they come to.
        func next() -> (plain: [Batch], mixed: [Batch]) {
            clock += Int64(random.pick([1, 1, 10, 61, 3_700]))
            for _ in 0...random.below(3) {
                let lines = (0...random.below(30)).map { _ in event().line }.joined(separator: "\n")
                let lane = random.below(2)
                for flow in [plain, mixed] {
                    #expect(flow.add(lines, lane: lane) == [])
                    _ = flow.pending.fold(flow.close(lane: lane, startSeconds: clock))
                }
                clock += Int64(random.below(12))
            }
            let cellLimit = random.pick([3, 40, 2_000])
            return (
                plain.flush(nowSeconds: clock, asking: &admissions, cellLimit: cellLimit),
                mixed.flush(nowSeconds: clock, asking: &admissions, cellLimit: cellLimit)
            )
        }
    }

    @Test("hold what batches of every kind would hold, under the same numbers", arguments: 0..<12 as Range<UInt64>)
    func sameAsDraft(seed: UInt64) throws {
        let twins = try Twins(seed: seed, clock: 1_700_000_000, ladder: "10s:1h,1m:6h,1h:31d")
        var (left, right) = (StoreModel(), StoreModel())
        var keys: Set<[UInt8]> = []
        for _ in 0..<6 {
            let (plain, mixed) = twins.next()
            for batch in plain {
                #expect(batch.isPlain)
                try left.apply(batch)
                for entry in batch.groups.flatMap(\.entries) {
                    let isNew = keys.insert(entry.key(shard: batch.shard)).inserted
                    #expect(entry.mayBeNew || !isNew || entry.expirySeconds == 0, "a key is new and it does not say so")
                }
            }
            for batch in mixed { try right.apply(batch) }
            #expect(plain.map(\.shard) == mixed.map(\.shard))
            #expect(plain.map(\.sequence) == mixed.map(\.sequence))
            #expect(plain.map(\.cellCount) == mixed.map(\.cellCount))
            #expect(plain.map(\.covers) == mixed.map(\.covers))
        }
        #expect(left == right)
        #expect(left.fieldCount > 500)
    }

    @Test("leave in a store, by transaction, what the others leave there by script", arguments: 0..<3 as Range<UInt64>)
    func sameInStore(seed: UInt64) throws {
        let stores = [try BareStore(), try BareStore()]
        // Nothing expires while it is compared.
        let twins = try Twins(seed: seed, clock: Int64(time(nil)) - 40_000, ladder: "10s:31d,1m:62d,1h:93d")
        var batches: [[Batch]] = [[], []]
        for _ in 0..<4 {
            let (plain, mixed) = twins.next()
            batches[0] += plain
            batches[1] += mixed
        }
        try stores[0].deliver(batches[0], isPlain: true)
        try stores[1].deliver(batches[1], isPlain: false)
        let content = try stores.map { try $0.content() }
        #expect(content[0] == content[1])
        #expect(content[0].count > 100)
        #expect(try stores.map { try $0.scriptCalls > 0 } == [false, true])
    }
}

extension BatchBuilder {
    /// `build`, with all that a shard has in `Draft`.
    func buildByDraft(
        _ pending: PendingShard, shard: Shard, firstSequence: UInt64, emit: (EncodedBatch) -> Void
    ) -> Int {
        let fold = CellFold(book: book, shard: shard)
        let byCondition = Dictionary(grouping: pending.spans) { $0.key.condition }
        let counters = CounterRows(byCondition[nil] ?? [], of: book, nowSeconds: nowSeconds)
        withoutActuallyEscaping(emit) { emit in
            let draft = Draft(
                shard: shard, agent: agent, cellLimit: cellLimit, nextSequence: firstSequence, emit: emit)
            write(pending, byCondition, counters: counters, fold, to: draft)
        }
        return fold.finish(nowSeconds: nowSeconds)
    }
}
