import Dispatch
import HailAggregate
import HailCore
import HailStore
import HailWire

/// Takes windows from the lanes and brings them to the store: folds them into pending cells, numbers batches, spools
/// them, has them sent, and keeps the books of what was acknowledged.
///
/// Confined to `queue`.
final class Flusher: @unchecked Sendable {
    struct Settings: Sendable {
        let agent: Digest
        let pendingLimitBytes: Int
        let rules: FanOut.Rules
        /// Numbers of windows that stand for several.
        let windowNumbers: WindowNumbers
    }

    let queue = DispatchQueue(label: "hailwhale.flush")
    let settings: Settings
    let ledger: Ledger
    let log: Log
    private let book: CellBook
    let pending: PendingCells
    var spool: FlushSpool
    private let writer: StoreWriter
    private let returns: LaneReturns

    private var numbers = ShardNumbers()
    /// By shard that has something from an earlier start set apart: the id under which that is numbered.
    var recovered: [UInt8: Digest] = [:]
    private var arrived: [ClosedWindow] = []
    private var isDispatchDue = false
    private var schedule: FlushSchedule
    private var waiters = Waiters()
    private var acknowledged: [BatchIdentity] = []
    private var claims = Claims()
    private var history = StoredHistory()
    private var pendingLimit: PendingLimit
    private var awaySinceMillis: Int64? = WallClock.steadyMillis
    /// The shard that is looked at first when numbers are given out.
    private var firstShard = 0
    private var isTrimDue = false

    /// Windows of several lanes close together: wait this long for the others before one flush takes them all.
    private static let gatherMillis = 5
    static let waitSeconds = 10
    /// How soon the spool is asked again to take what may not be sent without it.
    private static let spoolRetrySeconds = 1
    /// A little more than the spool keeps what was acknowledged.
    private static let trimSeconds = 35
    /// Cells of unanswered batches past which no shard gets a number: they lie in memory as bytes, some 30 each.
    private static let cellsUnderWayLimit = 500_000

    init(
        settings: Settings, book: CellBook, spool: Spool, schedule: FlushSchedule, ledger: Ledger, log: Log,
        writer: StoreWriter, returns: LaneReturns
    ) {
        self.settings = settings
        self.book = book
        self.spool = FlushSpool(spool: spool, ledger: ledger, log: log)
        self.schedule = schedule
        self.ledger = ledger
        self.log = log
        self.writer = writer
        self.returns = returns
        pendingLimit = PendingLimit(limitBytes: settings.pendingLimitBytes, ledger: ledger, log: log)
        pending = PendingCells(
            book: book, rules: settings.rules, namer: SeriesNameParser.namer)
    }

    // MARK: Windows

    /// Takes a window over; callable from any queue.
    func handOver(_ window: ClosedWindow) {
        queue.async {
            self.arrived.append(window)
            self.dispatchSoon()
        }
    }

    /// Calls `done` once the windows are safe, or with false after `waitSeconds`.
    ///
    /// Windows must have been handed over before, by the same caller.
    func wait(
        for windows: Set<UInt64>, level: Waiters.Level, done: @escaping @Sendable (_ isSafe: Bool) -> Void
    ) {
        queue.async {
            let open = Set(windows.map(self.waiters.current)).filter { self.ledger.isPending($0) }
            guard let id = self.waiters.add(windows: open, level: level, done: done) else { return }
            self.queue.asyncAfter(deadline: .now() + .seconds(Flusher.waitSeconds)) { self.waiters.giveUp(id) }
        }
    }

    func dispatchSoon() {
        guard !isDispatchDue else { return }
        isDispatchDue = true
        queue.asyncAfter(deadline: .now() + .milliseconds(Flusher.gatherMillis)) {
            self.isDispatchDue = false
            self.dispatchBatches()
        }
    }

    /// Folds what arrived, numbers what may be numbered, and puts both on disk before anything is sent.
    private func dispatchBatches() {
        dispatchPrecondition(condition: .onQueue(queue))
        let records = foldArrived()
        let submitted = spool(records: records, numbered: numberFree())
        if !submitted.isEmpty { writer.submit(submitted) }
        for lost in pendingLimit.hold(pending) {
            spool.spool.giveUp(lost.windows, shard: Shard(lost.shard))
            spool.forget(split: lost.windows)
            finish(ledger.lost(covers: lost.windows, reason: .pendingFull))
        }
        spool.keepApart(pending.dueWindows)
        let isMore = spool.merge(settings.windowNumbers) { windows, id in
            ledger.merged(windows, into: id, parts: pending.merge(windows: Set(windows), into: id))
            waiters.merge(windows, into: id)
        }
        if isMore {
            trimSpool()
            dispatchSoon()
        }
        for record in records {
            pending.clear(record.window)
            returns.giveBack(record.window.sums, to: record.window.lane)
        }
        pending.compact()
    }

    private func foldArrived() -> [FoldedWindow] {
        var records: [FoldedWindow] = []
        for window in arrived {
            let events = window.eventCount
            let parts = pending.fold(window)
            ledger.folded(window: window.id, parts: parts.count)
            // DogStatsD's events count nowhere: a window of nothing else is done with here.
            if parts.isEmpty { finish([window.id]) }
            records.append(FoldedWindow(window: window, events: events, parts: parts))
        }
        arrived = []
        let folded = UInt64(pending.foldedSeriesCount)
        ledger.count { $0.seriesFolded = folded }
        return records
    }

    /// Numbers what free shards hold, up to a bound on what is under way.
    ///
    /// The others get their turn when that is answered. Where the store has to admit values first, it is asked.
    private func numberFree() -> [NumberedShard] {
        let now = WallClock.seconds
        var asks: [AdmissionAsk] = []
        var numbered: [NumberedShard] = []
        var cells = numbers.cellsUnderWay
        for step in 0..<256 {
            let shard = UInt8(truncatingIfNeeded: firstShard + step)
            guard numbers.isFree(shard), !pending.isEmpty(shard: shard) else { continue }
            guard cells < Flusher.cellsUnderWayLimit else {
                firstShard = Int(shard)
                break
            }
            if let ask = pending.ask(shard: shard, nowSeconds: now) {
                numbers.asked(shard)
                asks.append(ask)
                continue
            }
            let next = number(shard, firstSequence: numbers.nextSequence(of: shard), nowSeconds: now)
            numbered.append(next)
            cells += next.cellCount
        }
        if !asks.isEmpty { writer.submit(asks) }
        return numbered
    }

    /// Writes windows and batches in one record; without a spool that takes it, goes on from memory and says so.
    ///
    /// - Returns: what may be sent.
    private func spool(records: [FoldedWindow], numbered: [NumberedShard]) -> [SubmittedBatch] {
        guard !records.isEmpty || !numbered.isEmpty else { return [] }
        let covered = NumberedShard.shardsByWindow(numbered)
        let windows = records.map { record in
            record.record(numbered: covered[record.window.id] ?? []) { pending.body(of: record.window).encoded }
        }
        spool.forget(split: numbered.flatMap(\.windows))
        if let locations = spool.append(windows, numbered) {
            waiters.reached(.spool, windows: records.map(\.window.id))
            return enter(numbered, locations)
        }
        spool.refuse(records, numbered: covered)
        // Cells that the spool holds in windows may go only in batches that it holds too: were they sent from memory, a
        // restart would count them again.
        let owed = numbered.filter { shard in
            shard.windows.contains { spool.spool.owes(window: $0, to: Shard(shard.number)) }
        }
        let free = numbered.filter { shard in !owed.contains { $0.number == shard.number } }
        let sent = enter(free, free.flatMap { $0.batches.map { _ in nil } })
        if owed.isEmpty { return sent }
        if let locations = spool.append([], owed) { return sent + enter(owed, locations) }
        putBack(owed)
        queue.asyncAfter(deadline: .now() + .seconds(Flusher.spoolRetrySeconds)) { self.dispatchSoon() }
        return sent
    }

    /// Enters batches in the books as sent.
    private func enter(_ numbered: [NumberedShard], _ locations: [SpoolLocation?]) -> [SubmittedBatch] {
        for shard in numbered {
            let isOwn = shard.agent == settings.agent
            if isOwn { numbers.sent(shard.batches.count, cells: shard.cellCount, of: shard.number) }
            claim(shard)
        }
        return zip(numbered.flatMap(\.batches), locations).map {
            SubmittedBatch(header: $0.header, bytes: $0.bytes, location: $1)
        }
    }

    func claim(_ shard: NumberedShard) {
        ledger.count { $0.valuesFolded += UInt64(shard.foldedValues) }
        ledger.used(windows: shard.cells.repeats)
        claims.note(shard)
    }

    // MARK: Answers

    /// What the store's side reports; callable from any queue.
    func handle(_ event: StoreEvent) { queue.async { self.take(event) } }

    private func take(_ event: StoreEvent) {
        switch event {
        case .acknowledged(let header, let outcome): acknowledge(header, outcome)
        case .reverted(let last, let batches):
            // The store may have lost names too: say them again.
            book.forgetMarks()
            let isOwn = last.agent == settings.agent
            let events = isOwn ? history.revert(batches: batches, last: last.sequence, of: last.shard.number) : 0
            ledger.count { $0.eventsReverted += events }
            log.error(
                "the store lost batches it had acknowledged",
                ["shard": last.shard.number, "batches": batches, "events": events])
        case .shardStopped(let shard, let reason):
            numbers.stop(shard.number)
            log.error("a shard stopped: its state in the store is unknown", ["shard": shard.number, "error": reason])
        case .lost(let header):
            if header.identity.agent == settings.agent {
                numbers.answered(header.shard.number, cells: header.cellCount)
            }
            // It may have been to bring names into the store, and keys with their expiry.
            book.forgetMarks()
            log.error("a batch is gone from memory and spool", ["shard": header.shard.number])
            claims.forget(header.identity)
            finish(ledger.lost(covers: header.covers, reason: .spoolLost))
        case .judged(let answers):
            for answer in answers { numbers.judged(answer.ask.shard.number) }
            let unreadable = answers.reduce(0) { $0 + pending.take($1.verdicts, of: $1.ask) }
            if unreadable > 0 { log.error("the store holds something else where names belong", ["names": unreadable]) }
            dispatchBatches()
        case .retried(let batches): ledger.count { $0.batches["retried", default: 0] += UInt64(batches) }
        case .up:
            awaySinceMillis = nil
            numbers.isUp = true
            dispatchSoon()
            log.info("the store is up")
        case .down(let reason):
            if awaySinceMillis == nil { awaySinceMillis = WallClock.steadyMillis }
            numbers.isUp = false
            log.warning("the store is away; counting goes on", ["error": reason])
        case .flushed(let seconds, let cells):
            ledger.count {
                $0.flushSeconds.observe(seconds)
                $0.cellsFlushed += UInt64(cells)
            }
            stretch(seconds)
            noteAcknowledged()
            if !pending.isEmpty { dispatchSoon() }
        }
    }

    private func acknowledge(_ header: BatchHeader, _ outcome: DeliveryOutcome) {
        ledger.used(windows: claims.settle(header, outcome))
        switch outcome {
        case .resent:
            // It was in the books as stored already.
            ledger.count { $0.batches["resent", default: 0] += 1 }
            return
        case .duplicate:
            ledger.count { $0.batches["duplicate", default: 0] += 1 }
        case .applied(let tally):
            ledger.count { counts in
                counts.batches["applied", default: 0] += 1
                for (reason, dead) in tally.deadByReason {
                    counts.cellsDead[reason.rawValue, default: 0] += UInt64(dead)
                }
            }
            for (reason, dead) in tally.deadByReason {
                log.error("the store refused cells", ["reason": reason.rawValue, "cells": dead])
            }
        }
        acknowledged.append(header.identity)
        let settled = ledger.acknowledged(covers: header.covers)
        if header.identity.agent == settings.agent {
            numbers.answered(header.shard.number, cells: header.cellCount)
            history.stored(settled.storedEvents, with: header.identity.sequence, of: header.shard.number)
        }
        finish(settled.windows)
    }

    func finish(_ windows: [UInt64]) {
        waiters.reached(.store, windows: windows)
        spool.forget(finished: windows)
    }

    private func noteAcknowledged() {
        guard !acknowledged.isEmpty else { return }
        spool.appendAcknowledged(acknowledged)
        acknowledged = []
        trimSpool()
    }

    /// Deletes what the spool no longer owes, now and once more when today's acknowledgements have aged.
    private func trimSpool() {
        writer.forget(segments: spool.spool.trim(nowSeconds: WallClock.steadySeconds))
        guard !isTrimDue else { return }
        isTrimDue = true
        queue.asyncAfter(deadline: .now() + .seconds(Flusher.trimSeconds)) {
            self.isTrimDue = false
            if self.spool.spool.byteCount > 0 { self.trimSpool() }
        }
    }

    private func stretch(_ seconds: Double) {
        let before = schedule
        schedule.flushed(storeMillis: Int64(seconds * 1_000))
        if schedule != before { returns.announce(schedule) }
    }

    // MARK: Restart and end

    /// Takes what a reload may have changed.
    func change(_ options: AgentOptions) {
        queue.async {
            self.pendingLimit.limitBytes = options.pendingLimitBytes
            self.spool.spool.limitBytes = options.spoolLimitBytes
            self.pending.rules.droppedDimensions = Set(Name.path(options.dropDimensions))
            let schedule = options.schedule
            guard schedule.configuredMillis != self.schedule.configuredMillis else { return }
            self.schedule = schedule
            self.returns.announce(schedule)
        }
    }

    /// The store has answered, and may be written to from now on.
    func open() {
        queue.async {
            self.numbers.open()
            self.awaySinceMillis = nil
            self.numbers.isUp = true
            self.dispatchSoon()
        }
    }

    /// Flushes what is there and calls `done` when nothing is under way, or at the deadline.
    func drain(deadline: DispatchTime, done: @escaping @Sendable () -> Void) {
        queue.async {
            self.dispatchBatches()
            // What the spool has need not wait for a store that is known to be away.
            let isSafe = self.awaySinceMillis != nil && self.spool.refused.isEmpty
            if isSafe || self.ledger.pendingWindows.isEmpty || DispatchTime.now() >= deadline {
                self.noteAcknowledged()
                self.ledger.abandoned(windows: self.spool.refused)
                self.waiters.giveUpAll()
                done()
                return
            }
            self.queue.asyncAfter(deadline: .now() + .milliseconds(10)) {
                self.drain(deadline: deadline, done: done)
            }
        }
    }

    func sizes(_ done: @escaping @Sendable (FlushSizes) -> Void) {
        queue.async {
            done(
                FlushSizes(
                    spoolBytes: self.spool.spool.byteCount, pendingBytes: self.pending.byteCount,
                    subjects: self.book.subjectCount, records: self.book.recordCount,
                    stoppedShards: self.numbers.stoppedCount, windowMillis: self.schedule.widthMillis,
                    isStoreUp: self.awaySinceMillis == nil, awaySinceMillis: self.awaySinceMillis,
                    isSpoolFailing: self.spool.isFailing, pendingWidthSeconds: self.pending.finestSeconds))
        }
    }
}
