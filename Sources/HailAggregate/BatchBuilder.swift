package import HailCore

/// Turns what a shard has pending into batches: works out the cells of each counter, puts each in a page or in
/// a strip of its own, and says which names the store must learn.
package struct BatchBuilder {
    private let book: CellBook
    private let agent: Digest
    private let nowSeconds: Int64
    private let cellLimit: Int
    private let placing: CellPlacing
    /// Counters from which on they go in batches of their own.
    private static let apartCounters = 100

    package init(book: CellBook, agent: Digest, nowSeconds: Int64, cellLimit: Int = Limits.cellsPerBatch) {
        self.book = book
        self.agent = agent
        self.nowSeconds = nowSeconds
        self.cellLimit = cellLimit
        placing = CellPlacing(book: book)
    }

    /// The batches of one shard, numbered from `firstSequence`; the last one covers the windows.
    ///
    /// There is at least one, even if every cell has expired, so that the windows are acknowledged.
    package func batches(of pending: PendingShard, shard: Shard, firstSequence: UInt64) -> [EncodedBatch] {
        var batches: [EncodedBatch] = []
        build(pending, shard: shard, firstSequence: firstSequence) { batches.append($0) }
        return batches
    }

    /// Hands over the same batches one by one: as many cells as a large flush has would not fit in memory unpacked.
    ///
    /// Counters and names go in plain batches of their own, unless they are few and something else is there to take
    /// them along.
    ///
    /// - Returns: how many values had something folded into `__other__`.
    @discardableResult
    package func build(
        _ pending: PendingShard, shard: Shard, firstSequence: UInt64, emit: (EncodedBatch) -> Void
    ) -> Int {
        let fold = CellFold(book: book, shard: shard)
        let byCondition = Dictionary(grouping: pending.spans) { $0.key.condition }
        let unconditional = byCondition[nil] ?? []
        let hasOthers = byCondition.count > (unconditional.isEmpty ? 0 : 1)
            || unconditional.contains { !$0.value.cells.isEmpty }
        let counterCount = unconditional.reduce(pending.children.count) { $0 + $1.value.records.count }
        withoutActuallyEscaping(emit) { emit in
            var nextSequence = firstSequence
            let isApart = !hasOthers || counterCount >= BatchBuilder.apartCounters
            if isApart {
                var plain = PlainDraft(
                    shard: shard, agent: agent, cellLimit: cellLimit, nextSequence: firstSequence, emit: emit)
                for child in pending.children { plain.add(child: child, of: book) }
                add(CounterRow.sorted(unconditional, by: book), fold) { cell, sum in
                    write(sum, of: cell, to: &plain)
                } endSubject: {
                    plain.endSubject()
                }
                for (cell, sum) in fold.takeSums() {
                    write(sum, of: cell, to: &plain)
                    plain.endSubject()
                }
                plain.finish(covers: hasOthers ? nil : pending.windows)
                nextSequence = plain.nextSequence
            }
            guard hasOthers else { return }
            build(
                pending, byCondition, hasCounters: !isApart,
                Draft(shard: shard, agent: agent, cellLimit: cellLimit, nextSequence: nextSequence, emit: emit), fold)
        }
        return fold.finish(nowSeconds: nowSeconds)
    }

    private func build(
        _ pending: PendingShard, _ byCondition: [BatchGroup.Condition?: [(key: SpanSums.Key, value: SpanSums)]],
        hasCounters: Bool, _ draft: consuming Draft, _ fold: CellFold
    ) {
        if hasCounters {
            for child in pending.children {
                draft.add(child: child, of: book)
                if draft.isFull { draft.closeBatch() }
            }
        }
        let writer = CellWriter(book: book, placing: placing, nowSeconds: nowSeconds, fold: fold)
        func write(_ spans: [(key: SpanSums.Key, value: SpanSums)], isConditional: Bool) {
            if hasCounters || isConditional {
                add(CounterRow.sorted(spans, by: book), fold) { cell, sum in
                    self.write(sum, of: cell, to: &draft, isConditional: isConditional)
                }
                for (cell, sum) in fold.takeSums() {
                    self.write(sum, of: cell, to: &draft, isConditional: isConditional)
                }
            }
            writer.write(spans, to: &draft, isConditional: isConditional)
        }
        write(byCondition[nil] ?? [], isConditional: false)
        draft.closeGroup(condition: nil)
        // A conditional group is never cut: the once-id is used up by the first script call that sees it.
        // In an order that is the same wherever the same is pending.
        let conditions = byCondition.keys.compactMap { $0 }.sorted {
            ($0.onceID.high, $0.onceID.low, $0.keptSeconds) < ($1.onceID.high, $1.onceID.low, $1.keptSeconds)
        }
        for condition in conditions {
            write(byCondition[condition] ?? [], isConditional: true)
            draft.closeGroup(condition: condition)
            if draft.isFull { draft.closeBatch() }
        }
        draft.finish(covers: pending.windows)
    }

    /// Where an instant lies in one resolution, worked out once for all rows of a span.
    private struct Bucket {
        let number: Int64
        let isKept: Bool
    }

    private func buckets(of row: CounterRow) -> [Bucket] {
        book.ladder.resolutions.map { resolution in
            Bucket(
                number: resolution.bucket(at: row.startSeconds),
                isKept: (resolution.isAllTime || resolution.widthSeconds >= row.widthSeconds)
                    && resolution.keeps(row.startSeconds, now: nowSeconds))
        }
    }

    /// Adds the cells of counters, every resolution of every row.
    private func add(
        _ rows: [CounterRow], _ fold: CellFold, write: (_ cell: CellFold.Cell, _ sum: Int128) -> Void,
        endSubject: () -> Void = {}
    ) {
        let mayFold = book.admissions.hasRefusals
        let levels = book.ladder.resolutions.count
        var known: (start: Int64, width: Int64, buckets: [Bucket])?
        func buckets(_ row: CounterRow) -> [Bucket] {
            if let known, known.start == row.startSeconds, known.width == row.widthSeconds { return known.buckets }
            let fresh = self.buckets(of: row)
            known = (row.startSeconds, row.widthSeconds, fresh)
            return fresh
        }
        var first = 0
        while first < rows.count {
            let key = rows[first].key
            let record = rows[first].record
            var end = first + 1
            while end < rows.count, rows[end].key == key { end += 1 }
            var isFolded = false
            func place(_ level: Int, _ bucket: Int64, _ sum: Int128) {
                let own = CellFold.Cell(record: record, level: level, bucket: bucket)
                guard mayFold else { return write(own, sum) }
                let target = fold.target(of: record, level, bucket: bucket)
                if target == record {
                    write(own, sum)
                } else if let target {
                    isFolded = true
                    fold.add(sum, to: CellFold.Cell(record: target, level: level, bucket: bucket))
                }
            }
            for level in 0..<levels {
                var open: Int64?
                var sum: Int128 = 0
                for row in first..<end {
                    let bucket = buckets(rows[row])[level]
                    guard bucket.isKept else { continue }
                    if let before = open, before != bucket.number {
                        place(level, before, sum)
                        sum = 0
                    }
                    open = bucket.number
                    sum &+= rows[row].sum
                }
                if let open { place(level, open, sum) }
            }
            if mayFold {
                fold.weigh(
                    record, rows[first..<end].reduce(0) { $0 + Double($1.sum.magnitude) / 1e6 }, isFolded: isFolded)
            }
            if end == rows.count || rows[end].key >> 32 != key >> 32 { endSubject() }
            first = end
        }
    }

    private func write(_ sum: Int128, of cell: CellFold.Cell, to plain: inout PlainDraft) {
        let place = placing.place(
            cell.record, cell.level, bucket: cell.bucket, fieldCount: BatchBuilder.fieldCount(of: sum),
            isConditional: false)
        plain.add(sum, of: book.records[Int(cell.record)].digest, at: place, level: cell.level)
    }

    /// Puts one counter's cell in its place; then closes the batch if it is full, unless the cell is part of a
    /// conditional group.
    private func write(_ sum: Int128, of cell: CellFold.Cell, to draft: inout Draft, isConditional: Bool) {
        let digest = book.records[Int(cell.record)].digest
        let place = placing.place(
            cell.record, cell.level, bucket: cell.bucket, fieldCount: BatchBuilder.fieldCount(of: sum),
            isConditional: isConditional)
        draft.addName(of: place)
        if place.isDense {
            draft.add(sum, toStripOf: digest, target: place.target, offset: place.offset)
        } else {
            draft.add(sum, of: digest, target: place.target, page: place.page, offset: place.offset)
        }
        if !isConditional, draft.isFull { draft.closeBatch() }
    }

    private static func fieldCount(of sum: Int128) -> Int32 {
        if let small = Int64(exactly: sum) { return small % 1_000_000 == 0 ? 1 : 2 }
        return sum % 1_000_000 == 0 ? 1 : 2
    }
}
