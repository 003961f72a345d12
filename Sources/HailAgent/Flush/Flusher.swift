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
        let droppedDimensions: Set<Name>
    }

    let queue = DispatchQueue(label: "hailwhale.flush")
    private let settings: Settings
    private let ledger: Ledger
    private let log: Log
    private let book: CellBook
    private let pending: PendingCells
    private let spool: Spool
    private let writer: StoreWriter
    private let returns: LaneReturns

    private var numbers = ShardNumbers()
    private var arrived: [ClosedWindow] = []
    private var isDispatchDue = false
    private var schedule: FlushSchedule
    private var waiters = Waiters()
    private var acknowledged: [BatchIdentity] = []
    /// Of batches under way: the window that counts under the condition of each group.
    private var claims: [BatchIdentity: [UInt64?]] = [:]
    private var history = StoredHistory()
    private var isSpoolFailing = false
    /// Windows under way that the spool refused.
    private var unspooled: Set<UInt64> = []
    private var pendingLimit: PendingLimit
    private var isStoreUp = false
    private var isTrimDue = false

    /// Windows of several lanes close together: wait this long for the others before one flush takes them all.
    private static let gatherMillis = 5
    static let waitSeconds = 10
    /// How soon the spool is asked again to take what may not be sent without it.
    private static let spoolRetrySeconds = 1
    /// A little more than the spool keeps what was acknowledged.
    private static let trimSeconds = 35

    init(
        settings: Settings, book: CellBook, spool: Spool, schedule: FlushSchedule, ledger: Ledger, log: Log,
        writer: StoreWriter, returns: LaneReturns
    ) {
        self.settings = settings
        self.book = book
        self.spool = spool
        self.schedule = schedule
        self.ledger = ledger
        self.log = log
        self.writer = writer
        self.returns = returns
        pendingLimit = PendingLimit(limitBytes: settings.pendingLimitBytes, ledger: ledger, log: log)
        pending = PendingCells(
            book: book, droppedDimensions: settings.droppedDimensions, namer: SeriesNameParser.namer)
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
            let open = windows.filter { self.ledger.isPending($0) }
            guard let id = self.waiters.add(windows: open, level: level, done: done) else { return }
            self.queue.asyncAfter(deadline: .now() + .seconds(Flusher.waitSeconds)) { self.waiters.giveUp(id) }
        }
    }

    private func dispatchSoon() {
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
        finish(ledger.lost(covers: pendingLimit.hold(pending), reason: .pendingFull))
        for record in records {
            pending.clear(record.window)
            returns.giveBack(record.window.sums, to: record.window.lane)
        }
        pending.compact()
    }

    private struct FoldedWindow {
        let window: ClosedWindow
        let events: UInt64
        let parts: Set<UInt8>
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

    /// Numbers what may be numbered; where the store has to admit values first, it is asked.
    private func numberFree() -> [NumberedShard] {
        let now = WallClock.seconds
        let builder = BatchBuilder(book: book, agent: settings.agent, nowSeconds: now)
        var asks: [AdmissionAsk] = []
        var numbered: [NumberedShard] = []
        for shard in UInt8.min...UInt8.max where numbers.isFree(shard) && !pending.isEmpty(shard: shard) {
            if let ask = pending.ask(shard: shard, nowSeconds: now) {
                numbers.asked(shard)
                asks.append(ask)
                continue
            }
            let (cells, first) = (pending.take(shard: shard), numbers.nextSequence(of: shard))
            numbered.append(NumberedShard(cells, of: shard, firstSequence: first, builder: builder))
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
        let windows = records.map { record -> WindowRecord in
            let residual = record.parts.subtracting(covered[record.window.id] ?? [])
            return WindowRecord(
                id: record.window.id, startSeconds: record.window.startSeconds, eventCount: record.events,
                residual: ShardSet(residual.map { Shard($0) }),
                body: residual.isEmpty ? [] : pending.body(of: record.window).encoded)
        }
        if let locations = append(windows: windows, numbered) {
            waiters.reached(.spool, windows: records.map(\.window.id))
            return enter(numbered, locations)
        }
        unspooled.formUnion(records.map(\.window.id))
        // Cells that the spool holds in windows may go only in batches that it holds too: were they sent from memory, a
        // restart would count them again.
        let owed = numbered.filter { shard in
            shard.windows.contains { spool.owes(window: $0, to: Shard(shard.number)) }
        }
        let free = numbered.filter { shard in !owed.contains { $0.number == shard.number } }
        let sent = enter(free, free.flatMap { $0.batches.map { _ in nil } })
        if owed.isEmpty { return sent }
        if let locations = append(windows: [], owed) { return sent + enter(owed, locations) }
        for shard in owed { pending.putBack(shard.cells, shard: shard.number) }
        // The batches that were made of them told the store names; now they will not.
        book.forgetMarks()
        queue.asyncAfter(deadline: .now() + .seconds(Flusher.spoolRetrySeconds)) { self.dispatchSoon() }
        return sent
    }

    private func append(windows: [WindowRecord], _ numbered: [NumberedShard]) -> [SpoolLocation?]? {
        do throws(StoreError) {
            let locations = try spool.append(
                windows: windows, batches: numbered.flatMap(\.batches), nowSeconds: WallClock.seconds)
            if isSpoolFailing, !windows.isEmpty {
                log.info("the spool takes records again")
                isSpoolFailing = false
            }
            return locations
        } catch {
            ledger.count { $0.spoolErrors += 1 }
            if !isSpoolFailing {
                log.error("the spool refused a record: a crash now would lose it", ["error": error])
            }
            isSpoolFailing = true
            return nil
        }
    }

    /// Enters batches in the books as sent.
    private func enter(_ numbered: [NumberedShard], _ locations: [SpoolLocation?]) -> [SubmittedBatch] {
        for shard in numbered {
            numbers.sent(shard.batches.count, of: shard.number)
            ledger.used(windows: shard.cells.repeats)
            ledger.count { $0.valuesFolded += UInt64(shard.foldedValues) }
            for (batch, claimants) in zip(shard.batches, shard.claimants)
            where claimants.contains(where: { $0 != nil }) {
                claims[batch.header.identity] = claimants
            }
        }
        return zip(numbered.flatMap(\.batches), locations).map {
            SubmittedBatch(header: $0.header, bytes: $0.bytes, location: $1)
        }
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
            if header.identity.agent == settings.agent { numbers.answered(header.shard.number) }
            log.error("a batch is gone from memory and spool", ["shard": header.shard.number])
            claims[header.identity] = nil
            finish(ledger.lost(covers: header.covers, reason: .spoolLost))
        case .judged(let answers):
            for answer in answers { numbers.judged(answer.ask.shard.number) }
            let unreadable = answers.reduce(0) { $0 + pending.take($1.verdicts, of: $1.ask) }
            if unreadable > 0 { log.error("the store holds something else where names belong", ["names": unreadable]) }
            dispatchBatches()
        case .retried(let batches): ledger.count { $0.batches["retried", default: 0] += UInt64(batches) }
        case .up:
            isStoreUp = true
            log.info("the store is up")
        case .down(let reason):
            isStoreUp = false
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
        let claimants = claims.removeValue(forKey: header.identity)
        switch outcome {
        case .resent:
            // It was in the books as stored already.
            ledger.count { $0.batches["resent", default: 0] += 1 }
            return
        case .duplicate:
            ledger.count { $0.batches["duplicate", default: 0] += 1 }
        case .applied(let tally):
            if let claimants {
                ledger.used(windows: tally.usedGroups.filter(claimants.indices.contains).compactMap { claimants[$0] })
            } else if !tally.usedGroups.isEmpty, header.covers.count == 1 {
                // From an earlier start: what its groups were is not known, but there is one window only.
                ledger.used(windows: header.covers)
            }
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
            numbers.answered(header.shard.number)
            history.stored(settled.storedEvents, with: header.identity.sequence, of: header.shard.number)
        }
        finish(settled.windows)
    }

    private func finish(_ windows: [UInt64]) {
        waiters.reached(.store, windows: windows)
        if !unspooled.isEmpty { unspooled.subtract(windows) }
    }

    private func noteAcknowledged() {
        guard !acknowledged.isEmpty else { return }
        do throws(StoreError) {
            try spool.appendAcknowledged(acknowledged, nowSeconds: WallClock.seconds)
        } catch {
            ledger.count { $0.spoolErrors += 1 }
        }
        acknowledged = []
        trimSpool()
    }

    /// Deletes what the spool no longer owes, now and once more when today's acknowledgements have aged.
    private func trimSpool() {
        writer.forget(segments: spool.trim(nowSeconds: WallClock.seconds))
        guard !isTrimDue else { return }
        isTrimDue = true
        queue.asyncAfter(deadline: .now() + .seconds(Flusher.trimSeconds)) {
            self.isTrimDue = false
            if self.spool.byteCount > 0 { self.trimSpool() }
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
            self.spool.limitBytes = options.spoolLimitBytes
            self.pending.droppedDimensions = Set(Name.path(options.dropDimensions))
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
            self.isStoreUp = true
            self.dispatchSoon()
        }
    }

    /// Takes back the windows that the spool of an earlier start held: what no batch covers is folded anew, and their
    /// events count as accepted again.
    ///
    /// - Parameter rebuild: the window that a spooled body says, or nil if it makes no sense.
    func recover(_ windows: [SpoolRecovery.Window], rebuild: (SpoolRecovery.Window) -> ClosedWindow?) {
        dispatchPrecondition(condition: .onQueue(queue))
        for recovered in windows {
            var parts = recovered.outstanding.count
            if !recovered.uncovered.isEmpty {
                guard let window = rebuild(recovered) else {
                    log.error("a spooled window cannot be read", ["window": recovered.id])
                    ledger.recovered(window: recovered.id, events: recovered.eventCount, parts: parts + 1)
                    finish(ledger.lost(covers: [recovered.id], reason: .spoolCorrupt))
                    continue
                }
                parts += pending.fold(window, residual: Set(recovered.uncovered.shards.map(\.number))).count
            }
            ledger.recovered(window: recovered.id, events: recovered.eventCount, parts: parts)
        }
        if pending.entryCount > 0 { dispatchSoon() }
    }

    /// Flushes what is there and calls `done` when nothing is under way, or at the deadline.
    func drain(deadline: DispatchTime, done: @escaping @Sendable () -> Void) {
        queue.async {
            self.dispatchBatches()
            // What the spool has need not wait for a store that is known to be away.
            let isSafe = !self.isStoreUp && self.unspooled.isEmpty
            if isSafe || self.ledger.pendingWindows.isEmpty || DispatchTime.now() >= deadline {
                self.noteAcknowledged()
                self.ledger.abandoned(windows: self.unspooled)
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
                    spoolBytes: self.spool.byteCount, pendingBytes: self.pending.byteCount,
                    subjects: self.book.subjectCount, records: self.book.recordCount,
                    stoppedShards: self.numbers.stoppedCount, windowMillis: self.schedule.widthMillis,
                    isStoreUp: self.isStoreUp))
        }
    }
}
