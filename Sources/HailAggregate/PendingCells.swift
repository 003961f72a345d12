package import HailCore

/// Everything that was counted, left its window, and is in no numbered batch yet: per shard, by spans of time.
///
/// Confined to the flush queue.
package final class PendingCells {
    package private(set) var shards = [PendingShard](repeating: PendingShard(), count: 256)
    /// What was taken out of `shards` and has no number yet, since the store is asked about it first or the spool did
    /// not take it; what comes meanwhile is no part of it.
    private var due: [UInt8: PendingShard] = [:]
    package let book: CellBook
    /// Others hold for series that are admitted from then on.
    package var rules: FanOut.Rules
    private let namer: Namer
    /// The series plans of each lane.
    private var plans: [Int: SeriesPlans] = [:]
    /// The plans of windows that were folded and not cleared, by number: their lane may have a new table by now.
    private var folded: [UInt64: SeriesPlans] = [:]
    /// Whether a lane began a new table, so that records may be left that no plan needs.
    private var hasGarbage = false
    // Scratch for one fold, by record.
    private var sums: [Int128] = []
    private var seen: [Bool] = []
    private var places = SpanSums.Places()

    /// - Parameter namer: reads the identities of the series that come in.
    package init(book: CellBook, rules: FanOut.Rules = FanOut.Rules(), namer: @escaping Namer) {
        self.book = book
        self.namer = namer
        self.rules = rules
    }

    package var entryCount: Int { shards.reduce(0) { $0 + $1.entryCount } }

    /// Bytes that the pending sums take, about.
    package var byteCount: Int { shards.reduce(0) { $0 + $1.byteCount } }

    /// Adds a window.
    ///
    /// - Parameter residual: for a window that comes back from the spool, the shards whose cells are in no batch
    ///   yet; the others are left out. Nil takes all.
    /// - Returns: the shards that hold a part of it now.
    package func fold(_ window: ClosedWindow, residual: Set<UInt8>? = nil) -> Set<UInt8> {
        let plans = self.plans(for: window)
        foldedSeriesCount += plans.admit(window.newSeries, into: book, rules)
        if residual == nil { folded[window.id] = plans }
        let finest = book.ladder.finest
        let start = finest.startSeconds(ofBucket: finest.bucket(at: window.startSeconds))
        var parts = Set<UInt8>()
        growScratch()
        var touched: [UInt32] = []
        var place = 0
        for series in window.sums.touched {
            let plan = plans.plans[Int(series)]
            for slot in 0..<Int(plan.slotCount) {
                add(window.sums.sums[place], of: plan, slot: slot, plans: plans, touched: &touched)
                place += 1
            }
        }
        spread(&touched, start: start, window: window, residual: residual, parts: &parts)

        foldSamples(of: window, plans: plans, start: start, residual: residual, parts: &parts)
        let timed = Dictionary(grouping: window.sums.timed, by: \.key.startSeconds)
        for (start, entries) in timed {
            for (slot, sum) in entries {
                let plan = plans.plans[Int(slot.series)]
                add(sum, of: plan, slot: Int(slot.slot), plans: plans, touched: &touched)
            }
            spread(&touched, start: start, window: window, residual: residual, parts: &parts)
        }
        // What the spool owes a shard may have come to nothing by now, as a name that another window brought first: a
        // batch must cover the window there all the same, or the spool owes it for ever.
        for shard in residual ?? [] {
            shards[Int(shard)].note(window: window.id)
            parts.insert(shard)
        }
        return parts
    }

    /// Forgets how a window was folded; its `body` may no longer be asked for.
    package func clear(_ window: ClosedWindow) { folded[window.id] = nil }

    /// What a window holds that was not cleared yet, as the spool keeps it.
    package func body(of window: ClosedWindow) -> WindowBody {
        let plans = folded[window.id] ?? self.plans(for: window)
        foldedSeriesCount += plans.admit(window.newSeries, into: book, rules)
        var series: [WindowBody.Series] = []
        series.reserveCapacity(window.sums.touched.count)
        var place = 0
        for index in window.sums.touched {
            let plan = plans.plans[Int(index)]
            let slots = place..<(place + Int(plan.slotCount))
            place = slots.upperBound
            series.append(
                WindowBody.Series(
                    identity: Array(plan.identity), timeSeconds: nil, sums: slots.map { window.sums.sums[$0] }))
        }
        struct Moment: Hashable {
            let series: UInt32
            let seconds: Int64
        }
        var timed: [Moment: [Int128]] = [:]
        for (slot, sum) in window.sums.timed {
            let slotCount = Int(plans.plans[Int(slot.series)].slotCount)
            timed[
                Moment(series: slot.series, seconds: slot.startSeconds),
                default: [Int128](repeating: 0, count: slotCount)][Int(slot.slot)] = sum
        }
        for (moment, sums) in timed {
            series.append(
                WindowBody.Series(
                    identity: Array(plans.plans[Int(moment.series)].identity), timeSeconds: moment.seconds,
                    sums: sums))
        }
        for run in PendingCells.runs(of: window.sums.samples, isOrdered: { plans.plans[Int($0)].kind == .gauge }) {
            guard let first = run.first else { continue }
            series.append(
                WindowBody.Series(
                    identity: Array(plans.plans[Int(first.series)].identity), timeSeconds: nil, sums: [],
                    samples: Array(run)))
        }
        return WindowBody(condition: window.condition, series: series)
    }

    /// Samples by series; those of ordered series (gauges) in runs, in the order they came.
    private static func runs(
        of samples: [WindowSums.Sample], isOrdered: (UInt32) -> Bool
    ) -> [ArraySlice<WindowSums.Sample>] {
        var runs: [ArraySlice<WindowSums.Sample>] = []
        var grouped: [UInt32: [WindowSums.Sample]] = [:]
        for (position, sample) in samples.enumerated() {
            if !isOrdered(sample.series) {
                grouped[sample.series, default: []].append(sample)
            } else if let last = runs.last, last.endIndex == position, last.first?.series == sample.series {
                runs[runs.count - 1] = samples[last.startIndex...position]
            } else {
                runs.append(samples[position...position])
            }
        }
        return grouped.values.map { $0[...] } + runs
    }

    /// Takes all that a shard holds, what is due before what came later.
    package func take(shard: UInt8) -> PendingShard {
        due.removeValue(forKey: shard) ?? takeMerging(shard: shard)
    }

    /// Takes what still merges, without what is due.
    package func takeMerging(shard: UInt8) -> PendingShard {
        defer { shards[Int(shard)] = PendingShard() }
        return shards[Int(shard)]
    }

    /// Puts back what `take` took, where nothing became of it.
    package func putBack(_ cells: PendingShard, shard: UInt8) { due[shard] = cells }

    /// The windows of what is set apart.
    ///
    /// They must not become one with windows that came later: the number that one part gets would stand for both.
    package var dueWindows: Set<UInt64> { due.values.reduce(into: []) { $0.formUnion($1.windows) } }

    /// Whether a shard has anything to send.
    package func isEmpty(shard: UInt8) -> Bool { due[shard] == nil && shards[Int(shard)].isEmpty }

    package var isEmpty: Bool { due.isEmpty && shards.allSatisfy(\.isEmpty) }

    /// What the store must be asked before a shard's cells get a number; nil where they may get it now.
    ///
    /// What is asked about is set apart, so that what comes meanwhile raises no further questions.
    package func ask(shard: UInt8, nowSeconds: Int64) -> AdmissionAsk? {
        let cells = take(shard: shard)
        due[shard] = cells
        return AdmissionSurvey(book: book, nowSeconds: nowSeconds).ask(of: cells, shard: Shard(shard))
    }

    /// Takes what the store answered.
    ///
    /// - Returns: how many nodes it could not judge, which are admitted then.
    @discardableResult
    package func take(_ verdicts: [[AdmissionAsk.Verdict]], of ask: AdmissionAsk) -> Int {
        for (page, verdicts) in zip(ask.pages, verdicts) {
            for (item, verdict) in zip(page.items, verdicts) {
                book.admissions.take(verdict, item, page.level, chunk: page.chunk, shard: ask.shard)
            }
        }
        return verdicts.reduce(0) { $0 + $1.count { $0 == .unreadable } }
    }

    /// The finest width that any span still knows; nil where nothing is pending.
    package var finestSeconds: Int64? { shards.lazy.flatMap(\.spans.keys).map(\.widthSeconds).min() }

    /// Gives up the finest width that any span still knows, for the next coarser one; behind the coarsest there is the
    /// all-time total alone.
    ///
    /// - Returns: cells given up; 0 when nothing finer is left to fold.
    package func coarsen() -> Int {
        guard let finest = finestSeconds, let coarser = book.ladder.foldedWidths.first(where: { $0 > finest }) else {
            return 0
        }
        var given = 0
        for shard in shards.indices { given += shards[shard].coarsen(to: coarser, of: book.ladder, &places) }
        return given
    }

    /// Has one window stand for several, of which nothing is anywhere else than here.
    ///
    /// - Returns: the shards that hold a part of them.
    package func merge(windows: Set<UInt64>, into id: UInt64) -> Int {
        shards.indices.count { shard in
            let isDue = due[UInt8(shard)]?.merge(windows: windows, into: id) ?? false
            return shards[shard].merge(windows: windows, into: id) || isDue
        }
    }

    /// Forgets the plans of windows that came from the spool.
    package func forget(lane: Int) {
        if plans.removeValue(forKey: lane) != nil { hasGarbage = true }
    }

    /// Forgets the records of series that lanes no longer have, where that may be done: nothing is pending.
    package func compact() {
        guard hasGarbage, isEmpty else { return }
        hasGarbage = false
        var used = [Bool](repeating: false, count: book.recordCount)
        for plan in plans.values { plan.mark(&used) }
        let mapping = book.retain(used)
        for plan in plans.values { plan.renumber(mapping) }
        sums = []
        seen = []
        places = SpanSums.Places()
    }

    /// Series that were met so far and count without their tags, since there were too many records.
    package private(set) var foldedSeriesCount = 0

    // MARK: One fold

    /// The plans of the lane's present table; those of an earlier one are dropped.
    private func plans(for window: ClosedWindow) -> SeriesPlans {
        if let known = plans[window.lane], known.generation == window.generation { return known }
        let new = SeriesPlans(generation: window.generation, arena: window.arena, namer: namer)
        if let former = plans[window.lane] {
            hasGarbage = true
            new.carry(window.carried, from: former)
        }
        plans[window.lane] = new
        return new
    }

    private func growScratch() {
        let missing = book.recordCount - sums.count
        guard missing > 0 else { return }
        sums.append(contentsOf: repeatElement(0, count: missing))
        seen.append(contentsOf: repeatElement(false, count: missing))
    }

    private func add(
        _ sum: Int128, of plan: SeriesPlans.Plan, slot: Int, plans: SeriesPlans, touched: inout [UInt32]
    ) {
        let first = Int(plan.firstRecord) + slot * Int(plan.recordsPerSlot)
        for place in first..<(first + Int(plan.recordsPerSlot)) {
            let record = plans.recordNumbers[place]
            sums[Int(record)] &+= sum
            if !seen[Int(record)] {
                seen[Int(record)] = true
                touched.append(record)
            }
        }
    }

    /// Adds the samples up and spreads the sums over the records of their series.
    ///
    /// Timers and sets are added up series by series first. Series of other tags share a gauge's records, in which every
    /// value has to meet those before it in the order they came: gauges are added up record by record.
    private func foldSamples(
        of window: ClosedWindow, plans: SeriesPlans, start: Int64, residual: Set<UInt8>?, parts: inout Set<UInt8>
    ) {
        struct Place: Hashable {
            /// A series and its slot, or a record.
            let number: UInt64
            let startSeconds: Int64
        }
        var sums: [Place: (cell: CellSums, records: Range<Int>)] = [:]
        var gauges: [Place: CellSums] = [:]
        for sample in window.sums.samples {
            let own = sample.startSeconds == ScannedLine.noTime ? start : sample.startSeconds
            let plan = plans.plans[Int(sample.series)]
            let first = Int(plan.firstRecord) + Int(sample.slot) * Int(plan.recordsPerSlot)
            let records = first..<(first + Int(plan.recordsPerSlot))
            guard plan.kind == .gauge else {
                let place = Place(number: UInt64(sample.series) << 16 | UInt64(sample.slot), startSeconds: own)
                if sums[place]?.cell.add(sample) == nil { sums[place] = (CellSums(sample, kind: plan.kind), records) }
                continue
            }
            for position in records {
                let place = Place(number: UInt64(plans.recordNumbers[position]), startSeconds: own)
                if gauges[place]?.add(sample) == nil { gauges[place] = CellSums(sample, kind: .gauge) }
            }
        }
        func add(_ cell: CellSums, of record: UInt32, _ startSeconds: Int64) {
            let shard = book.shard(ofRecord: record).number
            announce(book.records[Int(record)].subject, window: window, residual: residual, parts: &parts)
            guard residual?.contains(shard) ?? true else { return }
            let key = SpanSums.Key(
                startSeconds: startSeconds, widthSeconds: window.widthSeconds ?? book.ladder.finest.widthSeconds,
                condition: window.condition)
            if shards[Int(shard)].claim(key.condition, for: window.id) {
                shards[Int(shard)].add(cell, of: record, key: key)
            }
            shards[Int(shard)].note(window: window.id)
            parts.insert(shard)
        }
        for (place, sum) in sums {
            for position in sum.records { add(sum.cell, of: plans.recordNumbers[position], place.startSeconds) }
        }
        for (place, cell) in gauges { add(cell, of: UInt32(place.number), place.startSeconds) }
    }

    /// Moves the scratch sums of the touched records into the spans of their shards.
    private func spread(
        _ touched: inout [UInt32], start: Int64, window: ClosedWindow, residual: Set<UInt8>?,
        parts: inout Set<UInt8>
    ) {
        guard !touched.isEmpty else { return }
        var spans = [SpanSums](repeating: SpanSums(), count: 256)
        for record in touched {
            let shard = Int(book.shard(ofRecord: record).number)
            spans[shard].records.append(record)
            spans[shard].sums.append(sums[Int(record)])
            sums[Int(record)] = 0
            seen[Int(record)] = false
            announce(book.records[Int(record)].subject, window: window, residual: residual, parts: &parts)
        }
        let key = SpanSums.Key(
            startSeconds: start, widthSeconds: window.widthSeconds ?? book.ladder.finest.widthSeconds,
            condition: window.condition)
        for shard in spans.indices
        where !spans[shard].records.isEmpty && residual?.contains(UInt8(shard)) ?? true {
            if shards[shard].claim(key.condition, for: window.id) {
                shards[shard].add(spans[shard], key: key, &places)
            }
            shards[shard].note(window: window.id)
            parts.insert(UInt8(shard))
        }
        touched.removeAll(keepingCapacity: true)
    }

    /// Has the parent of a new subject learn its name, in the parent's own shard.
    ///
    /// The name is a part of the window that brought it, so that no crash loses the one and keeps the other.
    private func announce(_ subject: UInt32, window: ClosedWindow, residual: Set<UInt8>?, parts: inout Set<UInt8>) {
        guard !book.subjects[Int(subject)].isAnnounced else { return }
        book.subjects[Int(subject)].isAnnounced = true
        let parent = book.subjects[Int(subject)].parent
        let shard = book.subjects[Int(parent)].shard.number
        shards[Int(shard)].add(child: subject)
        if residual?.contains(shard) ?? true {
            shards[Int(shard)].note(window: window.id)
            parts.insert(shard)
        }
        announce(parent, window: window, residual: residual, parts: &parts)
    }
}
