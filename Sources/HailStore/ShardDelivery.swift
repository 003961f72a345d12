import HailCore

/// The delivery of one agent's batches to one shard: in order, and again where the store went back.
///
/// Pure: it is told what was submitted and what the store answered, and says what to send and what that means.
package struct ShardDelivery {
    /// A batch on its way, or in the tail of those that arrived.
    package struct Item: Equatable, Sendable {
        package let header: BatchHeader
        /// Nil: read them back from the spool.
        package fileprivate(set) var bytes: [UInt8]?
        package let location: SpoolLocation?
        package fileprivate(set) var acknowledgedSeconds: Int64?
        /// Whether it may have been sent before, in this start or an earlier one: then a key that it writes may be
        /// new in the store, whatever was known when it was made.
        package fileprivate(set) var wasSent: Bool

        package init(
            header: BatchHeader, bytes: [UInt8]?, location: SpoolLocation?, acknowledgedSeconds: Int64? = nil,
            wasSent: Bool = false
        ) {
            self.header = header
            self.bytes = bytes
            self.location = location
            self.acknowledgedSeconds = acknowledgedSeconds
            self.wasSent = wasSent
        }
    }

    package enum Action: Equatable, Sendable {
        case acknowledge(BatchHeader, DeliveryOutcome)
        /// The store went back, and the tail reaches what it lost.
        case resendFrom(UInt64)
        /// The store went back further than the tail reaches: so many batches up to `last` are gone for good.
        case markReverted(batches: UInt64, last: UInt64)
        case stopShard(String)
        /// Try the same batch again later.
        case hold(String)
        /// Load the script and try again at once.
        case loadScript
        case lose(BatchHeader)
    }

    /// Seconds after its acknowledgement within which a batch may be sent again.
    ///
    /// As long as the spool replays at all, and half as long as guards live: a guard that is merely over must never look
    /// like a store gone back.
    package static let tailSeconds = SpoolRecovery.replayableSeconds
    /// Acknowledged batches that are remembered at most.
    package static let tailLimit = 1_024

    /// By sequence, rising; the tail first.
    package private(set) var items: [Item] = []
    /// The place of the batch to send next, or of the first under way.
    private var cursor = 0
    private var mode = FlushScript.Mode.ordered
    /// Batches under way: one, or several plain ones that follow each other.
    package private(set) var underWayCount = 0
    package private(set) var stopReason: String?
    /// The highest sequence that the store acknowledged.
    package private(set) var lastAcknowledged: UInt64 = 0
    private var lastAcknowledgedSeconds: Int64 = 0

    package init() {}

    /// Whether something waits to be sent or answered.
    ///
    /// A stopped shard waits for nothing.
    package var isBusy: Bool { stopReason == nil && cursor < items.count }

    package var hasTail: Bool { cursor > 0 }

    /// Bytes held in memory.
    package private(set) var retainedBytes = 0

    /// Takes the next batch.
    ///
    /// One whose number is not above all before is taken already and ignored.
    package mutating func enqueue(_ item: Item) {
        let sequence = item.header.identity.sequence
        guard sequence > items.last?.header.identity.sequence ?? 0 else { return }
        items.append(item)
        retainedBytes += item.bytes?.count ?? 0
        // Only a tail without anything owed behind it is skipped: what was sent after an unanswered batch is
        // answered as a duplicate.
        if let seconds = item.acknowledgedSeconds {
            lastAcknowledged = sequence
            lastAcknowledgedSeconds = seconds
            if cursor == items.count - 1 { cursor += 1 }
        }
    }

    /// The next batch, if it goes by script and may be sent now; an answer must be brought before the next.
    ///
    /// - Parameter takesPlain: whether plain ones go this way too.
    package mutating func nextCall(takesPlain: Bool = false) -> (item: Item, mode: FlushScript.Mode)? {
        guard isBusy, underWayCount == 0, takesPlain || !items[cursor].header.isPlain else { return nil }
        return send(cursor, mode)
    }

    /// The next plain batch, if that may be sent now: behind plain ones under way, whose numbers it follows, it need
    /// not wait for their answers.
    package mutating func nextPlain() -> (item: Item, mode: FlushScript.Mode)? {
        let place = cursor + underWayCount
        guard stopReason == nil, place < items.count, items[place].header.isPlain else { return nil }
        guard underWayCount > 0 else { return send(place, mode) }
        let before = items[place - 1].header
        guard before.isPlain, before.identity.sequence + 1 == items[place].header.identity.sequence else { return nil }
        return send(place, .ordered)
    }

    private mutating func send(_ place: Int, _ mode: FlushScript.Mode) -> (item: Item, mode: FlushScript.Mode) {
        underWayCount += 1
        defer { items[place].wasSent = true }
        return (items[place], mode)
    }

    /// What `nextPlain` gave last is not sent after all.
    package mutating func withdrawLast() { underWayCount = max(0, underWayCount - 1) }

    /// Takes the answer to the first batch under way.
    ///
    /// Unless the store has that batch, those behind it are not under way any more either.
    package mutating func receive(_ reply: FlushReply, nowSeconds: Int64) -> [Action] {
        guard underWayCount > 0, cursor < items.count else { return [] }
        switch reply {
        case .applied, .duplicate: underWayCount -= 1
        default: underWayCount = 0
        }
        switch reply {
        case .applied(let tally): return settle(.applied(tally), nowSeconds)
        case .duplicate: return settle(.duplicate, nowSeconds)
        case .gap(let last): return rewind(to: last, nowSeconds)
        case .missing: return hasGuardRunOut(nowSeconds) ? goOnBehindGuard() : rewind(to: 0, nowSeconds)
        case .broken(let text): return stop(text)
        case .partial(let text):
            // What it lost is counted, and it is done with: the next start must not take it for stored.
            let cells = Int(items[cursor].header.cellCount)
            let tally = FlushTally(
                writtenFields: 0, expiredFields: 0, deadByReason: [.partial: cells], usedGroups: [])
            return settle(.applied(tally), nowSeconds) + stop(text)
        case .held(let text): return [.hold(text)]
        case .noScript: return [.loadScript]
        }
    }

    /// What is under way was not done, or it is not known whether it was: it is sent again, as it is.
    package mutating func withdraw() { underWayCount = 0 }

    /// Takes the guard as it is read between batches: a store that was restored or lost its last second has gone back.
    package mutating func observe(guardValue last: UInt64, nowSeconds: Int64) -> [Action] {
        guard underWayCount == 0, stopReason == nil, mode == .ordered, last < lastAcknowledged else { return [] }
        dropOldTail(nowSeconds)
        if hasTail, items[cursor - 1].header.identity.sequence > last { return rewind(to: last, nowSeconds) }
        // The cursor may have gone back already, over a connection that broke too; and a guard runs out.
        let next = cursor < items.count ? items[cursor].header.identity.sequence : .max
        guard next > lastAcknowledged, !isGuardOver(nowSeconds) else { return [] }
        mode = .reverted
        return [.markReverted(batches: lastAcknowledged - last, last: lastAcknowledged)]
    }

    /// The bytes of what `nextCall` or `nextPlain` gave are nowhere to be had.
    package mutating func giveUp() -> [Action] {
        guard underWayCount == 1, cursor < items.count else { return [] }
        underWayCount = 0
        let item = items[cursor]
        // It leaves a hole that is known of and counted here, so what follows goes on behind it.
        dropFirst(cursor + 1)
        mode = .reverted
        guard item.acknowledgedSeconds != nil else { return [.lose(item.header)] }
        return [.markReverted(batches: 1, last: item.header.identity.sequence)]
    }

    /// Forgets the tail that lay in segments that are gone, and what is too old to be sent again.
    package mutating func forget(segments: Set<UInt32>, nowSeconds: Int64) {
        dropOldTail(nowSeconds)
        let drop = items[..<cursor].lastIndex { $0.location.map { segments.contains($0.segment) } ?? true }
        if let drop, underWayCount == 0 { dropFirst(drop + 1) }
    }

    private mutating func settle(_ outcome: DeliveryOutcome, _ nowSeconds: Int64) -> [Action] {
        let item = items[cursor]
        let wasAcknowledged = item.acknowledgedSeconds != nil
        retainedBytes -= item.bytes?.count ?? 0
        items[cursor].bytes = nil
        items[cursor].acknowledgedSeconds = nowSeconds
        lastAcknowledged = max(lastAcknowledged, item.header.identity.sequence)
        lastAcknowledgedSeconds = nowSeconds
        cursor += 1
        mode = .ordered
        // In blocks, since dropping from the front moves the rest.
        if cursor >= 2 * ShardDelivery.tailLimit { dropFirst(cursor - ShardDelivery.tailLimit) }
        guard wasAcknowledged else { return [.acknowledge(item.header, outcome)] }
        return outcome == .duplicate ? [] : [.acknowledge(item.header, .resent)]
    }

    private mutating func rewind(to last: UInt64, _ nowSeconds: Int64) -> [Action] {
        guard mode == .ordered else { return stop("a gap in answer to a batch that closes it") }
        dropOldTail(nowSeconds)
        guard let first = items.firstIndex(where: { $0.header.identity.sequence > last }) else {
            return stop("a gap behind everything that was sent")
        }
        let sequence = items[first].header.identity.sequence
        if sequence == last + 1 {
            guard first < cursor else { return stop("a gap before a batch that follows") }
            cursor = first
            return [.resendFrom(sequence)]
        }
        cursor = first
        mode = .reverted
        return [.markReverted(batches: sequence - last - 1, last: sequence - 1)]
    }

    /// Whether the shard was idle for so long that its guard is gone by itself, with nothing lost.
    private func hasGuardRunOut(_ nowSeconds: Int64) -> Bool {
        items[cursor].header.identity.sequence == lastAcknowledged + 1 && isGuardOver(nowSeconds)
    }

    private func isGuardOver(_ nowSeconds: Int64) -> Bool {
        // A minute for the difference between two clocks.
        nowSeconds - lastAcknowledgedSeconds >= FlushScript.guardSeconds - 60
    }

    private mutating func goOnBehindGuard() -> [Action] {
        guard mode == .ordered else { return stop("a gap in answer to a batch that closes it") }
        mode = .reverted
        return []
    }

    private mutating func stop(_ text: String) -> [Action] {
        stopReason = text
        return [.stopShard(text)]
    }

    private mutating func dropOldTail(_ nowSeconds: Int64) {
        let old = items[..<cursor].prefix {
            nowSeconds - ($0.acknowledgedSeconds ?? nowSeconds) > ShardDelivery.tailSeconds
        }
        dropFirst(old.count)
    }

    private mutating func dropFirst(_ count: Int) {
        for item in items[..<count] { retainedBytes -= item.bytes?.count ?? 0 }
        items.removeFirst(count)
        cursor = max(0, cursor - count)
    }
}
