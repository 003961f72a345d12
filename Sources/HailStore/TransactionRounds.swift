import Dispatch
import HailCore

/// Brings plain batches into the store by transactions that watch the guards of their shards.
///
/// Confined to the queue of `StoreWriter`. While the store works on one transaction, the next is made.
final class TransactionRounds {
    /// Transactions before others get their turn on the queue.
    private static let limit = 16

    /// What the store was found to allow.
    private enum Allowance {
        case severalShards
        /// A cluster's node: the keys of a transaction lie in one slot, as those of a shard do.
        case oneShard
        case none
    }

    private let deliveries: Deliveries
    /// Until the agent starts again.
    private var allowance = Allowance.severalShards
    private var current = PlainTransaction()
    private var following = PlainTransaction()
    private var look = CommandBuffer(capacity: 1 << 16)

    init(_ deliveries: Deliveries) { self.deliveries = deliveries }

    /// Whether plain batches have to go by script.
    var isForbidden: Bool { allowance == .none }

    /// How a transaction ended.
    private enum End: Equatable {
        case done
        /// A guard was changed by another: nothing was done.
        case changed
        /// The store refused it: nothing was done.
        case held(String)
    }

    /// Sends what may be sent now, up to a limit.
    ///
    /// - Returns: what became of it; nil if there was nothing.
    /// - Throws: `connectionLost`; what was under way then is sent again.
    func run(over connection: inout RedisConnection, nowSeconds: Int64) throws(StoreError) -> RoundOutcome? {
        guard !isForbidden else { return nil }
        claim(into: current)
        guard !current.isEmpty else { return nil }
        var outcome = RoundOutcome()
        let began = DispatchTime.now().uptimeNanoseconds
        do throws(StoreError) {
            try open(current, &connection)
            for count in 1...TransactionRounds.limit {
                guard try isAsExpected(&connection, nowSeconds, &outcome) else { break }
                try connection.transmit(current.bytes)
                following.removeAll()
                if count < TransactionRounds.limit { claim(into: following) }
                if !following.isEmpty { try open(following, &connection) }
                let end = try TransactionRounds.readEnd(of: current, &connection)
                if case .held(let text) = end, let less = TransactionRounds.allowance(after: text, allowance) {
                    allowance = less
                }
                let dating = end == .done ? current.datingCommands() : []
                let burials = end == .done ? current.burialCommands(nowSeconds: nowSeconds) : []
                if !following.isEmpty, end != .done || !dating.isEmpty || !burials.isEmpty {
                    // It was made in the belief that nothing else had to be said.
                    deliveries.withdraw(following)
                    try discard(&connection, skippingOpening: true)
                    following.removeAll()
                }
                // Before the batches count as stored: from then on nobody would look after these keys.
                if !dating.isEmpty { _ = try connection.pipeline(dating) }
                settle(end, nowSeconds, &outcome)
                if !burials.isEmpty { _ = try connection.pipeline(burials) }
                swap(&current, &following)
                following.removeAll()
                guard !current.isEmpty else { break }
            }
        } catch {
            deliveries.noteRetried(current.parts.count + following.parts.count)
            throw error
        }
        outcome.seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
        return outcome
    }

    private func claim(into transaction: PlainTransaction) {
        transaction.removeAll()
        deliveries.claimPlain(into: transaction, isOneShard: allowance == .oneShard)
        if !transaction.isEmpty { transaction.closeAll() }
    }

    /// Watches and asks for the guards, and begins.
    ///
    /// Nothing is sent behind it before the store agreed to begin: what it took for commands of their own would count
    /// twice.
    private func open(_ transaction: PlainTransaction, _ connection: inout RedisConnection) throws(StoreError) {
        transaction.opening(into: &look)
        try connection.transmit(look.bytes)
    }

    // MARK: Guards

    /// Reads what the store says to the opening of `current`.
    ///
    /// - Returns: whether all of it may be applied; else nothing of it is under way any more, and what the guards said
    ///   instead was taken.
    private func isAsExpected(
        _ connection: inout RedisConnection, _ nowSeconds: Int64, _ outcome: inout RoundOutcome
    ) throws(StoreError) -> Bool {
        let heads = current.heads
        let answer = try connection.receive { (stream, descriptor) throws(StoreError) in
            try TransactionRounds.readOpening(heads.count, &stream, descriptor)
        }
        switch answer {
        case .refused(let text):
            try discard(&connection, skippingOpening: false)
            if let less = TransactionRounds.allowance(after: text, allowance) {
                allowance = less
                deliveries.withdraw(current)
            } else {
                settle(.held(text), nowSeconds, &outcome)
            }
            return false
        case .guards(let guards):
            let others = zip(heads, guards).filter { head, held in
                held.verdict(on: head.header.identity.sequence, mode: head.mode) != nil
            }
            guard !others.isEmpty else { return true }
            try discard(&connection, skippingOpening: false)
            deliveries.withdraw(current)
            for (head, held) in others {
                try mend(head.lane, held, &connection, nowSeconds, &outcome)
            }
            return false
        }
    }

    /// What is left after the store refused a transaction; nil where another try may help.
    private static func allowance(after refusal: String, _ former: Allowance) -> Allowance? {
        if refusal.hasPrefix("CROSSSLOT"), former == .severalShards { return .oneShard }
        return refusal.hasPrefix("NOPERM") || refusal.hasPrefix("ERR unknown command") ? Allowance.none : nil
    }

    /// What the store says to an opening.
    private enum Opening {
        case guards([GuardValue])
        case refused(String)
    }

    private static func readOpening(
        _ count: Int, _ stream: inout ReplyStream, _ descriptor: Int32
    ) throws(StoreError) -> Opening {
        var refusal: String?
        if case .error(let text) = try stream.line(from: descriptor) { refusal = text }
        var guards: [GuardValue] = []
        for _ in 0..<count {
            switch try stream.line(from: descriptor) {
            case .string(let length?): guards.append(GuardValue(try stream.string(length, from: descriptor)))
            case .string(nil): guards.append(.none)
            case .error(let text) where text.hasPrefix("WRONGTYPE"): guards.append(.unreadable)
            case .error(let text): refusal = refusal ?? text
            default: throw nonsense
            }
        }
        if case .error(let text) = try stream.line(from: descriptor) { refusal = refusal ?? text }
        return refusal.map { .refused($0) } ?? .guards(guards)
    }

    /// Takes for each batch of a shard what the flush script would have answered, up to the first that may be applied.
    private func mend(
        _ lane: Deliveries.Lane, _ held: GuardValue, _ connection: inout RedisConnection, _ nowSeconds: Int64,
        _ outcome: inout RoundOutcome
    ) throws(StoreError) {
        while let (item, mode) = deliveries.nextPlain(of: lane) {
            guard let verdict = held.verdict(on: item.header.identity.sequence, mode: mode) else { break }
            // The agent that applied it may have ended before it saw that a key was new.
            if verdict == .duplicate, item.acknowledgedSeconds == nil { try date(item, lane, &connection) }
            deliveries.receive(verdict, for: lane, nowSeconds: nowSeconds, &outcome)
        }
        deliveries.withdraw(lane)
    }

    private func date(
        _ item: ShardDelivery.Item, _ lane: Deliveries.Lane, _ connection: inout RedisConnection
    ) throws(StoreError) {
        following.removeAll()
        defer { following.removeAll() }
        guard let encoded = deliveries.bytes(of: item),
            following.add(encoded, item, .ordered, lane: lane, purpose: .date)
        else { return }
        try connection.transmit(following.bytes)
        let count = following.commandCount
        try connection.receive { (stream, descriptor) throws(StoreError) in
            for _ in 0..<count { _ = try stream.line(from: descriptor) }
        }
    }

    /// Takes back an opening whose transaction is not sent.
    private func discard(_ connection: inout RedisConnection, skippingOpening: Bool) throws(StoreError) {
        if skippingOpening {
            let count = following.heads.count
            _ = try connection.receive { (stream, descriptor) throws(StoreError) in
                try TransactionRounds.readOpening(count, &stream, descriptor)
            }
        }
        // The first says nothing where the store did not begin; the second nothing where it did.
        _ = try connection.pipeline([RedisCommand("DISCARD"), RedisCommand("UNWATCH")])
    }

    // MARK: The end

    private static func readEnd(
        of transaction: PlainTransaction, _ connection: inout RedisConnection
    ) throws(StoreError) -> End {
        try connection.receive { (stream, descriptor) throws(StoreError) in
            var refusal: String?
            for _ in 0..<transaction.commandCount {
                if case .error(let text) = try stream.line(from: descriptor) { refusal = refusal ?? text }
            }
            switch try stream.line(from: descriptor) {
            case .array(nil): return .changed
            case .array(transaction.commandCount):
                for place in 0..<transaction.commandCount {
                    let line = try stream.line(from: descriptor)
                    if case .string(let length?) = line { _ = try stream.string(length, from: descriptor) }
                    transaction.take(line, at: place)
                }
                return .done
            case .error(let text):
                let aborted = "EXECABORT Transaction discarded because of: "
                return .held(refusal ?? (text.hasPrefix(aborted) ? String(text.dropFirst(aborted.count)) : text))
            default: throw nonsense
            }
        }
    }

    private func settle(_ end: End, _ nowSeconds: Int64, _ outcome: inout RoundOutcome) {
        switch end {
        case .changed: deliveries.withdraw(current)
        case .held(let text):
            for head in current.heads {
                deliveries.receive(.held(text), for: head.lane, nowSeconds: nowSeconds, &outcome)
            }
        case .done:
            for part in current.parts {
                deliveries.receive(current.reply(for: part), for: part.lane, nowSeconds: nowSeconds, &outcome)
            }
        }
    }

    private static var nonsense: StoreError { .connectionLost("Protocol error: a reply that makes no sense") }
}
