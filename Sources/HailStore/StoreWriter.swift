package import Dispatch
package import HailCore

/// Puts numbered batches into the store, each exactly once, and says what became of them.
///
/// `@unchecked Sendable`: everything mutable is touched on `queue` only.
package final class StoreWriter: @unchecked Sendable {
    /// Bytes of script calls that are under way at once.
    private static let roundBytes = 4 << 20
    /// Seconds the guards of an agent that is done are kept.
    private static let retiredGuardSeconds = 3_600

    /// What the writer needs from outside.
    package struct Surroundings: Sendable {
        package var random: @Sendable () -> UInt64
        package var unixSeconds: @Sendable () -> Int64

        package init(random: @escaping @Sendable () -> UInt64, unixSeconds: @escaping @Sendable () -> Int64) {
            self.random = random
            self.unixSeconds = unixSeconds
        }
    }

    private let queue = DispatchQueue(label: "hailwhale.store-writer")
    private let connector: StoreConnector
    private let agent: Digest
    private let surroundings: Surroundings
    private let report: @Sendable (StoreEvent) -> Void

    // Confined to `queue`.
    private var connection: RedisConnection?
    private var scriptHash: [UInt8] = []
    private var desk = AdmissionDesk()
    private let deliveries: Deliveries
    private let transactions: TransactionRounds
    private var backoff = Backoff()
    private var isUp: Bool?
    private var isPumping = false
    /// Whether nothing may be sent until the next try.
    private var isWaiting = false
    private var isRetrySet = false
    private var isClosed = false
    private var idleWaiters: [DispatchSemaphore] = []

    /// - Parameters:
    ///   - agent: the id under which this start numbers its batches; batches of other ids are recovered ones.
    ///   - spool: reads back what is no longer in memory.
    ///   - report: called on the writer's own queue; it must not wait for the writer.
    package init(
        connector: StoreConnector, agent: Digest, spool: SpoolReader?, surroundings: Surroundings,
        report: @escaping @Sendable (StoreEvent) -> Void
    ) {
        self.connector = connector
        self.agent = agent
        self.surroundings = surroundings
        self.report = report
        deliveries = Deliveries(spool: spool, report: report)
        transactions = TransactionRounds(deliveries)
    }

    /// Connects, and takes up what the spool still owes, with the tail behind it.
    package func start(recovered: [SpoolRecovery.Batch] = []) {
        queue.async { [self] in
            for batch in recovered { deliveries.add(batch) }
            pump()
        }
    }

    /// Takes batches over, in the order of their numbers.
    package func submit(_ batches: [SubmittedBatch]) {
        queue.async { [self] in
            for batch in batches { deliveries.add(batch) }
            pump()
        }
    }

    /// Asks the store which values it admits; the answers come as `judged`, sooner or later.
    package func submit(_ asks: [AdmissionAsk]) {
        queue.async { [self] in
            for ask in asks { desk.add(ask) }
            pump()
        }
    }

    /// Looks whether the store still answers, and still has what it acknowledged, for times when nothing is sent; what
    /// it lost meanwhile is mended.
    package func probe() {
        queue.async { [self] in
            guard !isClosed, connection != nil else { return pump() }
            do throws(StoreError) {
                _ = try connection?.send(RedisCommand("PING"))
                try observeGuards(all: false)
                // Nothing under way would say so otherwise.
                if isIdle { goUp() }
                pump()
            } catch { lose(connectionFor: error) }
        }
    }

    /// Forgets the tail that lay in segments which the spool deleted.
    package func forget(segments: [UInt32]) {
        guard !segments.isEmpty else { return }
        queue.async { [self] in
            deliveries.forget(segments: Set(segments), nowSeconds: surroundings.unixSeconds())
            pump()
        }
    }

    /// Waits until nothing is in flight.
    ///
    /// Not to be called on the writer's own queue.
    ///
    /// - Returns: false if the deadline passed first.
    package func drain(deadline: DispatchTime) -> Bool {
        dispatchPrecondition(condition: .notOnQueue(queue))
        let done = DispatchSemaphore(value: 0)
        queue.async { [self] in
            if isIdle { done.signal() } else { idleWaiters.append(done) }
        }
        return done.wait(timeout: deadline) == .success
    }

    /// Stops sending and closes the connection; what is in flight stays in the spool.
    ///
    /// - Returns: false if a call that the store does not answer was still under way after `seconds`; the connection
    ///   is closed when that is over, or by the end of the process.
    @discardableResult
    package func close(within seconds: Double = 1) -> Bool {
        let done = DispatchSemaphore(value: 0)
        queue.async { [self] in
            isClosed = true
            connection = nil
            done.signal()
        }
        return done.wait(timeout: .now() + seconds) == .success
    }

    private var isIdle: Bool { desk.isEmpty && deliveries.isIdle }

    // MARK: Rounds

    private func pump() {
        guard !isPumping, !isWaiting, !isClosed else { return }
        isPumping = true
        // A round at a time, so that what is submitted meanwhile gets its turn on the queue.
        queue.async { [self] in
            isPumping = false
            guard !isClosed else { return }
            do throws(StoreError) {
                try connectIfNeeded()
                try ask()
                if try round() { pump() }
            } catch {
                lose(connectionFor: error)
            }
            if isIdle {
                for waiter in idleWaiters { waiter.signal() }
                idleWaiters = []
            }
        }
    }

    private func ask() throws(StoreError) {
        let commands = desk.commands(limitBytes: StoreWriter.roundBytes)
        guard !commands.isEmpty, connection != nil else { return }
        let outcome = desk.take(try connection?.pipeline(commands) ?? [])
        if outcome.needsScript { try loadScripts() }
        if let reason = outcome.heldReason {
            if outcome.answers.isEmpty { goDown(reason) }
            waitBeforeNextTry()
        } else if !desk.isEmpty {
            pump()
        }
        guard !outcome.answers.isEmpty else { return }
        // Nothing else may be under way that would say so, and what was asked for waits for it.
        if outcome.heldReason == nil { backoff.reset() }
        goUp()
        report(.judged(outcome.answers))
    }

    /// Sends plain batches by transaction, then one of every shard whose next needs the script, and takes the answers.
    ///
    /// - Returns: whether there may be more to do at once.
    private func round() throws(StoreError) -> Bool {
        let now = surroundings.unixSeconds()
        let transactions = transactions
        let outcome = try connection?.use { (connection) throws(StoreError) in
            try transactions.run(over: &connection, nowSeconds: now)
        }
        if let outcome = outcome ?? nil { try close(outcome) }

        let calls = deliveries.claimCalls(
            limitBytes: StoreWriter.roundBytes, scriptHash: scriptHash, takesPlain: transactions.isForbidden)
        guard !calls.isEmpty, connection != nil else {
            try retireFinishedAgents()
            return deliveries.mayGoOn
        }
        let began = DispatchTime.now().uptimeNanoseconds
        let replies: [StoreReply]
        do throws(StoreError) { replies = try connection?.pipeline(calls.map(\.command)) ?? [] } catch {
            deliveries.noteRetried(calls.count)
            throw error
        }
        var answers = RoundOutcome()
        answers.seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
        for (call, reply) in zip(calls, replies) {
            deliveries.receive(FlushReply(reply), for: call.lane, nowSeconds: now, &answers)
        }
        try close(answers)
        return true
    }

    private func close(_ outcome: RoundOutcome) throws(StoreError) {
        report(.flushed(seconds: outcome.seconds, cells: outcome.cells))
        if let reason = outcome.holdReason {
            // A store that answers some shards is up; one that answers none of them is not of use.
            if outcome.holdCount == outcome.answerCount { goDown(reason) }
            waitBeforeNextTry()
        } else {
            backoff.reset()
            goUp()
        }
        if outcome.needsScript { try loadScripts() }
    }

    // MARK: The connection

    private func connectIfNeeded() throws(StoreError) {
        guard connection == nil else { return }
        connection = try connector.connect()
        try loadScripts()
        try observeGuards(all: true)
        backoff.reset()
        goUp()
    }

    private func loadScripts() throws(StoreError) {
        scriptHash = try load(FlushScript.source)
        desk.use(scriptHash: try load(AdmissionScript.source))
    }

    /// - Returns: the hash under which the script is called.
    private func load(_ source: String) throws(StoreError) -> [UInt8] {
        let reply = try connection?.send(RedisCommand("SCRIPT", "LOAD", source))
        if case .bytes(let hash) = reply { return hash }
        if case .error(let text) = reply { throw .refused(command: "SCRIPT LOAD", reply: text) }
        throw .unexpectedReply(command: "SCRIPT LOAD")
    }

    /// Asks how far each shard got, so that a store that went back is mended even where nothing new is to be sent.
    ///
    /// - Parameter all: also where nothing could be sent again: then the loss is at least named.
    private func observeGuards(all: Bool) throws(StoreError) {
        let lanes = deliveries.observable(all: all)
        guard !lanes.isEmpty else { return }
        let commands = lanes.map {
            RedisCommand([Array("GET".utf8), StoreKey.guardKey(shard: $0.shard, agent: $0.agent)])
        }
        let replies = try connection?.pipeline(commands) ?? []
        let now = surroundings.unixSeconds()
        for (lane, reply) in zip(lanes, replies) {
            let last: UInt64
            switch reply {
            case .null: last = 0
            default:
                guard let number = reply.number, number >= 0 else { continue }
                last = UInt64(number)
            }
            deliveries.observe(lane, guardValue: last, nowSeconds: now)
        }
    }

    private func lose(connectionFor error: StoreError) {
        connection = nil
        deliveries.withdrawAll()
        goDown(error.description)
        waitBeforeNextTry()
    }

    private func waitBeforeNextTry() {
        // While only some shards are held, the others go on.
        isWaiting = connection == nil
        guard !isRetrySet else { return }
        isRetrySet = true
        let milliseconds = backoff.nextMilliseconds(random: surroundings.random())
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [self] in
            isRetrySet = false
            isWaiting = false
            deliveries.releaseHeld()
            desk.isHeld = false
            pump()
        }
    }

    private func goUp() {
        guard isUp != true else { return }
        isUp = true
        report(.up)
    }

    private func goDown(_ reason: String) {
        guard isUp != false else { return }
        isUp = false
        report(.down(reason: reason))
    }

    // MARK: Agents that are done

    /// Lets the guards of recovered agents go in an hour once nothing of theirs is owed, or could be sent again: a
    /// batch that may be must find its guard, however the store's clock is set.
    private func retireFinishedAgents() throws(StoreError) {
        for lanes in deliveries.finished(except: agent) {
            let expire = lanes.map { lane in
                RedisCommand([
                    Array("EXPIRE".utf8), StoreKey.guardKey(shard: lane.shard, agent: lane.agent),
                    Array("\(StoreWriter.retiredGuardSeconds)".utf8),
                ])
            }
            _ = try connection?.pipeline(expire)
            deliveries.drop(lanes)
        }
    }
}
