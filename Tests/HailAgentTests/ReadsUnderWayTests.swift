import Testing

@testable import HailAgent

@Suite("Reads under way")
struct ReadsUnderWayTests {
    @Test("are as many as may be, and make room when they are done")
    func reads() {
        let reads = ReadsUnderWay()
        for _ in 0..<ReadsUnderWay.mostReads { #expect(reads.enter(keys: 1)) }
        #expect(!reads.enter(keys: 1))
        reads.leave(keys: 1)
        #expect(reads.enter(keys: 1))
        #expect(!reads.enter(keys: 1))
    }

    @Test("read so many keys together, and one alone as many as it likes")
    func keys() {
        let reads = ReadsUnderWay()
        #expect(reads.enter(keys: 2 * ReadsUnderWay.mostKeys))
        #expect(!reads.enter(keys: 1))
        reads.leave(keys: 2 * ReadsUnderWay.mostKeys)
        #expect(reads.enter(keys: ReadsUnderWay.mostKeys - 1))
        #expect(reads.enter(keys: 1))
        #expect(!reads.enter(keys: 1))
    }
}
