import Testing

@testable import HailAgent

@Suite("Stored history")
struct StoredHistoryTests {
    @Test(
        "counts the events of the batches that are gone, each once",
        arguments: [
            // batches, last, events
            (UInt64(1), UInt64(5), UInt64(16)), (2, 5, 24), (5, 5, 31), (9, 9, 31), (2, 3, 6), (1, 1, 1), (1, 9, 0),
        ])
    func revert(batches: UInt64, last: UInt64, events: UInt64) {
        var history = StoredHistory()
        for sequence in UInt64(1)...5 { history.stored(1 << (sequence - 1), with: sequence, of: 7) }
        #expect(history.revert(batches: batches, last: last, of: 8) == 0)
        #expect(history.revert(batches: batches, last: last, of: 7) == events)
        #expect(history.revert(batches: batches, last: last, of: 7) == 0)
        #expect(history.revert(batches: 100, last: 100, of: 7) == 31 - events)
    }

    @Test("forgets no event however many batches there were, and stays small")
    func thinning() {
        var history = StoredHistory()
        for sequence in UInt64(1)...10_000 { history.stored(3, with: sequence, of: 0) }
        #expect(history.revert(batches: 10, last: 10_000, of: 0) == 30)
        #expect(history.revert(batches: 9_990, last: 9_990, of: 0) == 29_970)
    }
}
