import HailCore
import Testing

@testable import HailStore

/// A store of one shard, as far as guards go, that can be made to forget.
private struct ModelStore {
    /// Every batch applied since the last loss, in order.
    var applied: [UInt64] = []
    var guardValue: UInt64?

    mutating func answer(_ sequence: UInt64, _ mode: FlushScript.Mode) -> FlushReply {
        if let last = guardValue, sequence <= last { return .duplicate }
        if mode == .ordered, sequence != (guardValue ?? 0) + 1 {
            return guardValue.map { .gap(last: $0) } ?? .missing
        }
        guardValue = sequence
        applied.append(sequence)
        return .applied(.nothing)
    }

    /// Goes back by some batches, as a store does that had not synced them.
    mutating func rewind(by count: Int) {
        applied.removeLast(min(count, applied.count))
        guardValue = applied.last
    }
}

@Suite("Shard delivery")
struct ShardDeliveryTests {
    private func header(_ sequence: UInt64) -> BatchHeader { BatchHeader(Sample.batch(sequence, covers: [sequence])) }

    private func item(_ sequence: UInt64, segment: UInt32 = 1, acknowledged: Int64? = nil) -> ShardDelivery.Item {
        let location = SpoolLocation(segment: segment, offsetBytes: 0, byteCount: 1, checksum: 0)
        return ShardDelivery.Item(
            header: header(sequence), bytes: acknowledged == nil ? [0] : nil, location: location,
            acknowledgedSeconds: acknowledged)
    }

    /// Sends until nothing is left, and returns what the delivery said.
    private func run(
        _ delivery: inout ShardDelivery, _ store: inout ModelStore, nowSeconds: Int64 = 100
    ) -> [ShardDelivery.Action] {
        var said: [ShardDelivery.Action] = []
        var steps = 0
        while let (item, mode) = delivery.next() {
            said += delivery.receive(store.answer(item.header.identity.sequence, mode), nowSeconds: nowSeconds)
            steps += 1
            if steps > 1_000 {
                Issue.record("it goes round in circles")
                break
            }
        }
        return said
    }

    @Test("sends one batch at a time, in order")
    func order() {
        var delivery = ShardDelivery()
        delivery.enqueue(item(1))
        delivery.enqueue(item(2))
        #expect(delivery.next()?.item.header == header(1))
        #expect(delivery.next() == nil)
        #expect(
            delivery.receive(.applied(.nothing), nowSeconds: 0) == [.acknowledge(header(1), .applied(.nothing))])
        #expect(delivery.next()?.item.header == header(2))
        #expect(delivery.isBusy)
    }

    @Test("ignores a batch that it has already")
    func repeats() {
        var delivery = ShardDelivery()
        delivery.enqueue(item(1))
        delivery.enqueue(item(1))
        #expect(delivery.items.count == 1)
        #expect(delivery.retainedBytes == 1)
    }

    @Test("sends a batch again whose reply was lost, and takes duplicate for an acknowledgement")
    func lostReply() {
        var delivery = ShardDelivery()
        var store = ModelStore()
        delivery.enqueue(item(1))
        if let (item, mode) = delivery.next() { _ = store.answer(item.header.identity.sequence, mode) }
        delivery.connectionLost()
        #expect(run(&delivery, &store) == [.acknowledge(header(1), .duplicate)])
        #expect(store.applied == [1])
    }

    @Test("sends the tail again to a store that went back by five")
    func rewound() {
        var delivery = ShardDelivery()
        var store = ModelStore()
        for sequence in 1...9 as ClosedRange<UInt64> { delivery.enqueue(item(sequence)) }
        _ = run(&delivery, &store)
        store.rewind(by: 5)
        delivery.enqueue(item(10))
        let said = run(&delivery, &store)
        #expect(said.first == .resendFrom(5))
        #expect(said.dropFirst().dropLast() == ArraySlice((5...9).map { .acknowledge(header($0), .resent) }))
        #expect(said.last == .acknowledge(header(10), .applied(.nothing)))
        #expect(store.applied == Array(1...10))
    }

    @Test("starts from 1 again when everything was flushed away and the tail reaches that far")
    func flushedWithTail() {
        var delivery = ShardDelivery()
        var store = ModelStore()
        for sequence in 1...3 as ClosedRange<UInt64> { delivery.enqueue(item(sequence)) }
        _ = run(&delivery, &store)
        store = ModelStore()
        delivery.enqueue(item(4))
        #expect(run(&delivery, &store).first == .resendFrom(1))
        #expect(store.applied == [1, 2, 3, 4])
    }

    @Test("counts what is gone once, and goes on, when the tail does not reach")
    func flushedWithoutTail() {
        var delivery = ShardDelivery()
        var store = ModelStore()
        for sequence in 1...6 as ClosedRange<UInt64> { delivery.enqueue(item(sequence, segment: sequence < 5 ? 1 : 2)) }
        _ = run(&delivery, &store)
        delivery.forget(segments: [1], nowSeconds: 100)
        store = ModelStore()
        delivery.enqueue(item(7))
        let said = run(&delivery, &store)
        #expect(said.first == .markReverted(batches: 4, last: 4))
        #expect(said.filter { if case .markReverted = $0 { true } else { false } }.count == 1)
        #expect(store.applied == [5, 6, 7])
        delivery.enqueue(item(8))
        #expect(run(&delivery, &store) == [.acknowledge(header(8), .applied(.nothing))])
    }

    @Test("does not take a guard that ran out for a store that went back")
    func guardRanOut() {
        var delivery = ShardDelivery()
        var store = ModelStore()
        delivery.enqueue(item(1))
        _ = run(&delivery, &store, nowSeconds: 0)
        store.guardValue = nil
        delivery.enqueue(item(2))
        #expect(
            run(&delivery, &store, nowSeconds: 9 * 86_400) == [.acknowledge(header(2), .applied(.nothing))])
        #expect(store.applied == [1, 2])
    }

    @Test("counts what is gone when the store forgot an agent that was quiet, but not for so long")
    func quietAgent() {
        var delivery = ShardDelivery()
        var store = ModelStore()
        delivery.enqueue(item(1))
        _ = run(&delivery, &store, nowSeconds: 0)
        store = ModelStore()
        delivery.enqueue(item(2))
        let said = run(&delivery, &store, nowSeconds: 7 * 86_400)
        #expect(said == [.markReverted(batches: 1, last: 1), .acknowledge(header(2), .applied(.nothing))])
    }

    @Test("mends a store that went back as soon as a new connection shows it")
    func observed() {
        var delivery = ShardDelivery()
        var store = ModelStore()
        for sequence in 1...4 as ClosedRange<UInt64> { delivery.enqueue(item(sequence)) }
        _ = run(&delivery, &store)
        #expect(delivery.observe(guardValue: 4, nowSeconds: 100) == [])
        store.rewind(by: 2)
        #expect(delivery.observe(guardValue: 2, nowSeconds: 100) == [.resendFrom(3)])
        #expect(delivery.isBusy)
        _ = run(&delivery, &store)
        #expect(store.applied == [1, 2, 3, 4])
    }

    @Test("takes recovered batches up where the store stands", arguments: [UInt64(3), 4, 5, 6])
    func recovered(last: UInt64) {
        var delivery = ShardDelivery()
        for sequence in 3...4 as ClosedRange<UInt64> { delivery.enqueue(item(sequence, acknowledged: 90)) }
        for sequence in 5...6 as ClosedRange<UInt64> { delivery.enqueue(item(sequence)) }
        var store = ModelStore(applied: Array(1...last), guardValue: last)
        _ = run(&delivery, &store)
        #expect(store.applied == Array(1...6))
        #expect(!delivery.isBusy)
    }

    @Test("goes through a hole in what was recovered")
    func recoveredWithHole() {
        var delivery = ShardDelivery()
        delivery.enqueue(item(3))
        delivery.enqueue(item(7))
        var store = ModelStore(applied: [1, 2], guardValue: 2)
        #expect(
            run(&delivery, &store) == [
                .acknowledge(header(3), .applied(.nothing)), .markReverted(batches: 3, last: 6),
                .acknowledge(header(7), .applied(.nothing)),
            ])
    }

    @Test("says what is lost when bytes are gone, and goes on")
    func bytesGone() {
        var delivery = ShardDelivery()
        var store = ModelStore()
        for sequence in 1...3 as ClosedRange<UInt64> { delivery.enqueue(item(sequence)) }
        if let (item, mode) = delivery.next() {
            _ = delivery.receive(store.answer(item.header.identity.sequence, mode), nowSeconds: 0)
        }
        _ = delivery.next()
        #expect(delivery.giveUp() == [.lose(header(2))])
        #expect(run(&delivery, &store) == [.acknowledge(header(3), .applied(.nothing))])
        #expect(delivery.retainedBytes == 0)
    }

    @Test("names what a store lost that no tail reaches, once, when it is seen, and goes on")
    func observedWithoutTail() {
        var delivery = ShardDelivery()
        var store = ModelStore()
        for sequence in 1...3 as ClosedRange<UInt64> { delivery.enqueue(item(sequence)) }
        _ = run(&delivery, &store)
        delivery.forget(segments: [1], nowSeconds: 100)
        store = ModelStore()
        #expect(delivery.observe(guardValue: 0, nowSeconds: 100) == [.markReverted(batches: 3, last: 3)])
        #expect(delivery.observe(guardValue: 0, nowSeconds: 100) == [])
        delivery.enqueue(item(4))
        #expect(run(&delivery, &store) == [.acknowledge(header(4), .applied(.nothing))])
        delivery.forget(segments: [1], nowSeconds: 100)
        // A guard that ran out by itself is no loss.
        #expect(delivery.observe(guardValue: 0, nowSeconds: 100 + FlushScript.guardSeconds) == [])
    }

    @Test("stops for good on a batch applied in part")
    func stops() {
        var delivery = ShardDelivery()
        delivery.enqueue(item(1))
        delivery.enqueue(item(2))
        _ = delivery.next()
        let dead = FlushTally(
            writtenFields: 0, expiredFields: 0, deadByReason: [.partial: Int(header(1).cellCount)], usedGroups: [])
        #expect(
            delivery.receive(.partial("partial: x"), nowSeconds: 0)
                == [.acknowledge(header(1), .applied(dead)), .stopShard("partial: x")])
        #expect(delivery.next() == nil)
        #expect(!delivery.isBusy)
    }

    @Test("stops for good on a batch that the script refuses, which stays owed")
    func refused() {
        var delivery = ShardDelivery()
        delivery.enqueue(item(1))
        _ = delivery.next()
        #expect(delivery.receive(.broken("malformed: x"), nowSeconds: 0) == [.stopShard("malformed: x")])
        #expect(!delivery.isBusy && !delivery.hasTail)
    }

    @Test(
        "mends what a store lost while the agent was down, for as long as the spool replays", arguments: [601, 345_000])
    func downForLong(seconds: Int64) {
        var delivery = ShardDelivery()
        var store = ModelStore()
        for sequence in 1...3 as ClosedRange<UInt64> { delivery.enqueue(item(sequence, acknowledged: 1_000)) }
        store.guardValue = 1
        store.applied = [1]
        #expect(delivery.observe(guardValue: 1, nowSeconds: 1_000 + seconds) == [.resendFrom(2)])
        _ = run(&delivery, &store, nowSeconds: 1_000 + seconds)
        #expect(store.applied == [1, 2, 3])
    }

    @Test("holds the same batch while the store cannot take it", arguments: ["LOADING …", "OOM …", "READONLY …"])
    func holds(text: String) {
        var delivery = ShardDelivery()
        delivery.enqueue(item(1))
        _ = delivery.next()
        #expect(delivery.receive(.held(text), nowSeconds: 0) == [.hold(text)])
        #expect(delivery.next()?.item.header == header(1))
        #expect(delivery.receive(.noScript, nowSeconds: 0) == [.loadScript])
        #expect(delivery.next()?.item.header == header(1))
    }

    @Test("stops instead of going in circles on answers that contradict themselves")
    func nonsense() {
        for reply: FlushReply in [.gap(last: 0), .gap(last: 99), .missing] {
            var delivery = ShardDelivery()
            delivery.enqueue(item(1))
            _ = delivery.next()
            guard case .stopShard = delivery.receive(reply, nowSeconds: 0).first else {
                Issue.record("\(reply) did not stop the shard")
                continue
            }
        }
    }

    @Test("counts every batch once, whatever the network and the store do", arguments: 0..<200)
    func anySchedule(seed: UInt64) {
        var random = SeededRandom(seed)
        var delivery = ShardDelivery()
        var store = ModelStore()
        var next: UInt64 = 1
        var acknowledged: [UInt64] = []
        for _ in 0..<200 {
            switch UInt.random(in: 0..<10, using: &random) {
            case 0...3:
                delivery.enqueue(item(next))
                next += 1
            case 4: store.rewind(by: Int.random(in: 0...6, using: &random))
            case 5: _ = delivery.observe(guardValue: store.guardValue ?? 0, nowSeconds: 100)
            default:
                guard let (item, mode) = delivery.next() else { continue }
                let reply = store.answer(item.header.identity.sequence, mode)
                if Bool.random(using: &random) {
                    delivery.connectionLost()
                } else {
                    for case .acknowledge(let header, let outcome) in delivery.receive(reply, nowSeconds: 100)
                    where outcome != .resent {
                        acknowledged.append(header.identity.sequence)
                    }
                }
            }
        }
        _ = delivery.observe(guardValue: store.guardValue ?? 0, nowSeconds: 100)
        for case .acknowledge(let header, let outcome) in run(&delivery, &store) where outcome != .resent {
            acknowledged.append(header.identity.sequence)
        }
        #expect(delivery.stopReason == nil)
        #expect(store.applied == Array(1..<next))
        #expect(acknowledged == Array(1..<next))
    }
}
