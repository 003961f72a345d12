import HailCore

/// The batches of every agent and shard on their way into the store, and whose turn it is.
///
/// Confined to the queue of `StoreWriter`.
final class Deliveries {
    struct Lane: Hashable {
        let agent: Digest
        let shard: Shard
    }

    /// Bytes of waiting batches kept in memory; beyond it they are read back from the spool.
    private static let retainedLimitBytes = 32 << 20

    private let spool: SpoolReader?
    private let report: @Sendable (StoreEvent) -> Void
    private var deliveries: [Lane: ShardDelivery] = [:]
    private(set) var order: [Lane] = []
    private var firstInTurn = 0
    private var held: Set<Lane> = []
    private var retainedBytes = 0

    init(spool: SpoolReader?, report: @escaping @Sendable (StoreEvent) -> Void) {
        self.spool = spool
        self.report = report
    }

    var isIdle: Bool { !deliveries.values.contains { $0.isBusy } }

    /// Whether something may be sent without waiting for the next try.
    var mayGoOn: Bool { order.contains { !held.contains($0) && deliveries[$0]?.isBusy == true } }

    func add(_ batch: SubmittedBatch) {
        let keeps = batch.location == nil || retainedBytes + batch.bytes.count <= Deliveries.retainedLimitBytes
        if keeps { retainedBytes += batch.bytes.count }
        enqueue(ShardDelivery.Item(header: batch.header, bytes: keeps ? batch.bytes : nil, location: batch.location))
    }

    func add(_ batch: SpoolRecovery.Batch) {
        enqueue(
            ShardDelivery.Item(
                header: batch.header, bytes: nil, location: batch.location,
                acknowledgedSeconds: batch.acknowledgedSeconds, wasSent: true))
    }

    private func enqueue(_ item: ShardDelivery.Item) {
        let lane = Lane(agent: item.header.identity.agent, shard: item.header.shard)
        if deliveries[lane] == nil {
            deliveries[lane] = ShardDelivery()
            order.append(lane)
        }
        deliveries[lane]?.enqueue(item)
    }

    func forget(segments: Set<UInt32>, nowSeconds: Int64) {
        for lane in order { deliveries[lane]?.forget(segments: segments, nowSeconds: nowSeconds) }
    }

    func bytes(of item: ShardDelivery.Item) -> [UInt8]? {
        item.bytes ?? item.location.flatMap { spool?.read($0) }
    }

    // MARK: What to send

    /// Script calls, one of every shard whose next batch may be sent, up to so many bytes.
    ///
    /// - Parameter takesPlain: whether plain batches go this way too.
    func claimCalls(
        limitBytes: Int, scriptHash: [UInt8], takesPlain: Bool
    ) -> [(lane: Lane, command: RedisCommand)] {
        var calls: [(lane: Lane, command: RedisCommand)] = []
        var byteCount = 0
        inTurn { lane in
            guard let (item, mode) = deliveries[lane]?.nextCall(takesPlain: takesPlain) else { return true }
            guard let encoded = bytes(of: item), let batch = Batch(decoding: encoded[...]) else {
                giveUp(lane)
                return true
            }
            let command = FlushScript.command(for: batch, mode: mode, scriptHash: scriptHash)
            calls.append((lane, command))
            byteCount += command.bytes.count
            return byteCount < limitBytes
        }
        return calls
    }

    /// Plain batches, several of a shard where their numbers follow, up to a transaction's bound.
    ///
    /// - Parameter isOneShard: whether those of one shard alone may go together.
    func claimPlain(into transaction: PlainTransaction, isOneShard: Bool) {
        inTurn { lane in
            if isOneShard, !transaction.isEmpty { return false }
            var isAdded = false
            defer { if isAdded { transaction.closeShard() } }
            while let (item, mode) = deliveries[lane]?.nextPlain() {
                let isFull = transaction.commandCount + item.header.cellCount > PlainTransaction.commandLimit
                if isFull, !transaction.isEmpty {
                    deliveries[lane]?.withdrawLast()
                    return false
                }
                guard let encoded = bytes(of: item), transaction.add(encoded, item, mode, lane: lane) else {
                    if deliveries[lane]?.underWayCount == 1 {
                        giveUp(lane)
                    } else {
                        // Those before it first.
                        deliveries[lane]?.withdrawLast()
                    }
                    break
                }
                isAdded = true
            }
            return true
        }
    }

    /// Shard by shard, beginning behind the one that was last to get its turn.
    private func inTurn(_ visit: (Lane) -> Bool) {
        let first = firstInTurn
        for step in order.indices {
            let place = (first + step) % order.count
            guard !held.contains(order[place]) else { continue }
            guard visit(order[place]) else {
                // It may have more: so it is first the next time.
                firstInTurn = place
                return
            }
        }
    }

    /// The next plain batch of one shard, to be judged by what its guard says.
    func nextPlain(of lane: Lane) -> (item: ShardDelivery.Item, mode: FlushScript.Mode)? {
        held.contains(lane) ? nil : deliveries[lane]?.nextPlain()
    }

    private func giveUp(_ lane: Lane) { tell(deliveries[lane]?.giveUp() ?? [], of: lane) }

    // MARK: What came of it

    /// Takes the answer to the first batch of a shard that is under way.
    func receive(_ reply: FlushReply, for lane: Lane, nowSeconds: Int64, _ outcome: inout RoundOutcome) {
        let before = deliveries[lane]?.retainedBytes ?? 0
        let actions = deliveries[lane]?.receive(reply, nowSeconds: nowSeconds) ?? []
        retainedBytes -= before - (deliveries[lane]?.retainedBytes ?? 0)
        outcome.answerCount += 1
        for action in actions {
            switch action {
            case .acknowledge(let header, _): outcome.cells += header.cellCount
            case .loadScript: outcome.needsScript = true
            case .hold(let text):
                held.insert(lane)
                outcome.holdReason = text
                outcome.holdCount += 1
            default: break
            }
        }
        tell(actions, of: lane)
    }

    /// Takes a guard as it is read between batches.
    func observe(_ lane: Lane, guardValue: UInt64, nowSeconds: Int64) {
        tell(deliveries[lane]?.observe(guardValue: guardValue, nowSeconds: nowSeconds) ?? [], of: lane)
    }

    /// Shards whose guards should be looked at.
    ///
    /// - Parameter all: also where nothing could be sent again: then the loss is at least named.
    func observable(all: Bool) -> [Lane] {
        order.filter { deliveries[$0].map { $0.hasTail || all && $0.lastAcknowledged > 0 } ?? false }
    }

    /// What a transaction holds was not done; nothing behind it is under way any more.
    func withdraw(_ transaction: PlainTransaction) {
        for part in transaction.parts { deliveries[part.lane]?.withdrawLast() }
    }

    func withdraw(_ lane: Lane) { deliveries[lane]?.withdraw() }

    func withdrawAll() {
        for lane in order { deliveries[lane]?.withdraw() }
    }

    /// Lets shards that the store made wait have their next try.
    func releaseHeld() { held = [] }

    func noteRetried(_ batches: Int) { report(.retried(batches: batches)) }

    private func tell(_ actions: [ShardDelivery.Action], of lane: Lane) {
        for action in actions {
            switch action {
            case .acknowledge(let header, let outcome): report(.acknowledged(header, outcome))
            case .markReverted(let batches, let last):
                let identity = BatchIdentity(agent: lane.agent, shard: lane.shard, sequence: last)
                report(.reverted(identity, batches: batches))
            case .stopShard(let text): report(.shardStopped(lane.shard, reason: text))
            case .lose(let header): report(.lost(header))
            case .resendFrom, .hold, .loadScript: break
            }
        }
    }

    // MARK: Agents that are done

    /// The shards of each other agent of which nothing is owed, or could be sent again.
    func finished(except own: Digest) -> [[Lane]] {
        Set(order.map(\.agent)).subtracting([own]).compactMap { other in
            let lanes = order.filter { $0.agent == other }
            let isFinished = lanes.allSatisfy { lane in
                deliveries[lane].map { !$0.isBusy && !$0.hasTail && $0.stopReason == nil } ?? true
            }
            return isFinished ? lanes : nil
        }
    }

    func drop(_ lanes: [Lane]) {
        for lane in lanes { deliveries[lane] = nil }
        order.removeAll { deliveries[$0] == nil }
        firstInTurn = 0
    }
}
