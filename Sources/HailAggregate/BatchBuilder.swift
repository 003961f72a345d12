package import HailCore

/// Turns what a shard has pending into batches: works out the cells of each counter, puts each in a page or in
/// a strip of its own, and says which names the store must learn.
package struct BatchBuilder {
    let book: CellBook
    let agent: Digest
    let nowSeconds: Int64
    let cellLimit: Int
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
        let counters = CounterRows(byCondition[nil] ?? [], of: book, nowSeconds: nowSeconds)
        let hasOthers = byCondition.contains { $0.key != nil || $0.value.contains { !$0.value.cells.isEmpty } }
        let isApart = !hasOthers || pending.children.count + counters.rows.count >= BatchBuilder.apartCounters
        withoutActuallyEscaping(emit) { emit in
            var nextSequence = firstSequence
            if isApart {
                var plain = PlainDraft(
                    shard: shard, agent: agent, cellLimit: cellLimit, nextSequence: firstSequence, emit: emit)
                write(counters, children: pending.children, fold, to: &plain)
                nextSequence = plain.finish(covers: hasOthers ? nil : pending.windows)
            }
            guard hasOthers else { return }
            let draft = Draft(shard: shard, agent: agent, cellLimit: cellLimit, nextSequence: nextSequence, emit: emit)
            write(pending, byCondition, counters: isApart ? nil : counters, fold, to: draft)
        }
        return fold.finish(nowSeconds: nowSeconds)
    }

    // MARK: Plain

    private func write(_ counters: CounterRows, children: [UInt32], _ fold: CellFold, to plain: inout PlainDraft) {
        for child in children { plain.add(child: child, of: book) }
        forEachCell(of: counters, fold) { record, bucket, sum in
            write(sum, of: record, at: bucket, to: &plain)
        } endSubject: {
            plain.endSubject()
        }
        var subject: UInt32?
        for (cell, sum) in fold.takeSums() {
            let own = book.records[Int(cell.record)].subject
            if subject != own { plain.endSubject() }
            subject = own
            write(sum, of: cell.record, at: BucketPlace(cell.bucket, level: cell.level, of: book.ladder), to: &plain)
        }
    }

    private func write(_ sum: Int128, of number: UInt32, at bucket: BucketPlace, to plain: inout PlainDraft) {
        let record = book.records[Int(number)]
        let place = placing.place(
            number, record, at: bucket, fieldCount: BatchBuilder.fieldCount(of: sum), isConditional: false)
        if let isOnFirstPage = place.isNamedOnFirstPage {
            let name = placing.name(of: record, isOnFirstPage: isOnFirstPage)
            plain.add(name: name.bytes, page: name.page, at: place, level: bucket.level)
        }
        plain.add(sum, of: record.digest, at: place, level: bucket.level)
    }

    // MARK: Of every kind

    /// Writes what a shard has, group by group.
    ///
    /// - Parameter counters: those without a condition; nil where they went in batches of their own, with the children.
    func write(
        _ pending: PendingShard, _ byCondition: [BatchGroup.Condition?: [(key: SpanSums.Key, value: SpanSums)]],
        counters: CounterRows?, _ fold: CellFold, to draft: consuming Draft
    ) {
        if counters != nil {
            for child in pending.children {
                draft.add(child: child, of: book)
                if draft.isFull { draft.closeBatch() }
            }
        }
        let writer = CellWriter(book: book, placing: placing, nowSeconds: nowSeconds, fold: fold)
        func write(_ counters: CounterRows?, _ spans: [(key: SpanSums.Key, value: SpanSums)], isConditional: Bool) {
            if let counters {
                forEachCell(of: counters, fold) { record, bucket, sum in
                    self.write(sum, of: record, at: bucket, to: &draft, isConditional: isConditional)
                }
            }
            for (cell, sum) in fold.takeSums() {
                let bucket = BucketPlace(cell.bucket, level: cell.level, of: book.ladder)
                self.write(sum, of: cell.record, at: bucket, to: &draft, isConditional: isConditional)
            }
            writer.write(spans, to: &draft, isConditional: isConditional)
        }
        write(counters, byCondition[nil] ?? [], isConditional: false)
        draft.closeGroup(condition: nil)
        // A conditional group is never cut: the once-id is used up by the first script call that sees it.
        // In an order that is the same wherever the same is pending.
        let conditions = byCondition.keys.compactMap { $0 }.sorted {
            ($0.onceID.high, $0.onceID.low, $0.keptSeconds) < ($1.onceID.high, $1.onceID.low, $1.keptSeconds)
        }
        for condition in conditions {
            let spans = byCondition[condition] ?? []
            write(CounterRows(spans, of: book, nowSeconds: nowSeconds), spans, isConditional: true)
            draft.closeGroup(condition: condition)
            if draft.isFull { draft.closeBatch() }
        }
        draft.finish(covers: pending.windows)
    }

    /// Puts one counter's cell in its place; then closes the batch if it is full, unless the cell is part of a
    /// conditional group.
    private func write(
        _ sum: Int128, of number: UInt32, at bucket: BucketPlace, to draft: inout Draft, isConditional: Bool
    ) {
        let record = book.records[Int(number)]
        let place = placing.place(
            number, record, at: bucket, fieldCount: BatchBuilder.fieldCount(of: sum), isConditional: isConditional)
        placing.addName(of: record, at: place, to: &draft)
        if place.isDense {
            draft.add(sum, toStripOf: record.digest, target: place.target, offset: place.offset)
        } else {
            draft.add(sum, of: record.digest, target: place.target, page: place.page, offset: place.offset)
        }
        if !isConditional, draft.isFull { draft.closeBatch() }
    }

    // MARK: Cells

    /// Hands over the cells of counters, every resolution of every row, but for those of refused values, which `fold`
    /// gathers.
    private func forEachCell(
        of counters: CounterRows, _ fold: CellFold,
        write: (_ record: UInt32, _ bucket: BucketPlace, _ sum: Int128) -> Void,
        endSubject: () -> Void = {}
    ) {
        let rows = counters.rows
        let mayFold = book.admissions.hasRefusals
        var first = 0
        while first < rows.count {
            let record = rows[first].record
            var end = first + 1
            while end < rows.count, rows[end].key == rows[first].key { end += 1 }
            var isFolded = false
            func place(_ bucket: BucketPlace, _ sum: Int128) {
                guard mayFold else { return write(record, bucket, sum) }
                let target = fold.target(of: record, bucket.level, bucket: bucket.number)
                if target == record {
                    write(record, bucket, sum)
                } else if let target {
                    isFolded = true
                    fold.add(sum, to: CellFold.Cell(record: target, level: bucket.level, bucket: bucket.number))
                }
            }
            for level in 0..<counters.levels {
                var open: BucketPlace?
                var sum: Int128 = 0
                for row in first..<end {
                    guard let bucket = counters.bucket(row, level) else { continue }
                    if let before = open, before.number != bucket.number {
                        place(before, sum)
                        sum = 0
                    }
                    open = bucket
                    sum &+= rows[row].sum
                }
                if let open { place(open, sum) }
            }
            if mayFold {
                let weight = rows[first..<end].reduce(0) { $0 + Double($1.sum.magnitude) / 1e6 }
                fold.weigh(record, weight, isFolded: isFolded)
            }
            if end == rows.count || rows[end].subject != rows[first].subject { endSubject() }
            first = end
        }
    }

    /// Fields that a counter's cell takes.
    private static func fieldCount(of sum: Int128) -> Int32 {
        if let small = Int64(exactly: sum) { return small % 1_000_000 == 0 ? 1 : 2 }
        return sum % 1_000_000 == 0 ? 1 : 2
    }
}
