package import HailCore

/// Turns what a shard has pending into batches: works out the cells of each counter, puts each in a page or in
/// a strip of its own, and says which names the store must learn.
package struct BatchBuilder {
    private let book: CellBook
    private let agent: Digest
    private let nowSeconds: Int64
    private let cellLimit: Int
    private let placing: CellPlacing

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
    package func batches(of pending: PendingShard, shard: Shard, firstSequence: UInt64) -> [Batch] {
        var batches: [Batch] = []
        build(pending, shard: shard, firstSequence: firstSequence) { batches.append($0) }
        return batches
    }

    /// Hands over the same batches one by one: as many cells as a large flush has would not fit in memory unpacked.
    ///
    /// - Returns: how many values had something folded into `__other__`.
    @discardableResult
    package func build(
        _ pending: PendingShard, shard: Shard, firstSequence: UInt64, emit: (Batch) -> Void
    ) -> Int {
        let fold = CellFold(book: book, shard: shard)
        withoutActuallyEscaping(emit) { emit in
            build(
                pending,
                Draft(
                    shard: shard, agent: agent, cellLimit: cellLimit, nextSequence: firstSequence, emit: emit), fold)
        }
        return fold.finish(nowSeconds: nowSeconds)
    }

    private func build(_ pending: PendingShard, _ draft: consuming Draft, _ fold: CellFold) {
        for child in pending.children {
            draft.add(child: child, of: book)
            if draft.isFull { draft.closeBatch() }
        }
        let byCondition = Dictionary(grouping: pending.spans) { $0.key.condition }
        let writer = CellWriter(book: book, placing: placing, nowSeconds: nowSeconds, fold: fold)
        func write(_ spans: [(key: SpanSums.Key, value: SpanSums)], isConditional: Bool) {
            addCounters(of: spans, to: &draft, fold, isConditional: isConditional)
            for (cell, sum) in fold.takeSums() {
                self.write(
                    cell.record, cell.level, bucket: cell.bucket, sum: sum, to: &draft, isConditional: isConditional)
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

    /// A counter's sum in one span.
    private struct Row {
        let record: UInt32
        let subject: UInt32
        let startSeconds: Int64
        /// Whose buckets it counts in: a place among the spans.
        let span: Int32
        let sum: Int128
    }

    /// Adds the cells of counters: counter by counter, subjects together, in order of time.
    private func addCounters(
        of spans: [(key: SpanSums.Key, value: SpanSums)], to draft: inout Draft, _ fold: CellFold, isConditional: Bool
    ) {
        var rows: [Row] = []
        rows.reserveCapacity(spans.reduce(0) { $0 + $1.value.records.count })
        let buckets = spans.map { book.buckets(of: $0.key, nowSeconds: nowSeconds) }
        for (number, (key, span)) in spans.enumerated() {
            for (place, record) in span.records.enumerated() {
                rows.append(
                    Row(
                        record: record, subject: book.records[Int(record)].subject,
                        startSeconds: key.startSeconds, span: Int32(number), sum: span.sums[place]))
            }
        }
        rows.sort { ($0.subject, $0.record, $0.startSeconds) < ($1.subject, $1.record, $1.startSeconds) }
        var first = 0
        while first < rows.count {
            var end = first + 1
            while end < rows.count, rows[end].record == rows[first].record { end += 1 }
            add(rows[first..<end], buckets, to: &draft, fold, isConditional: isConditional)
            first = end
        }
    }

    /// Adds the cells of one counter, every resolution of every row.
    ///
    /// - Parameter buckets: by span, then resolution.
    private func add(
        _ rows: ArraySlice<Row>, _ buckets: [[Int64?]], to draft: inout Draft, _ fold: CellFold, isConditional: Bool
    ) {
        guard let record = rows.first?.record else { return }
        var isFolded = false
        func write(_ level: Int, _ bucket: Int64, _ sum: Int128) {
            let target = fold.target(of: record, level, bucket: bucket)
            if target == record {
                self.write(record, level, bucket: bucket, sum: sum, to: &draft, isConditional: isConditional)
            } else if let target {
                isFolded = true
                fold.add(sum, to: CellFold.Cell(record: target, level: level, bucket: bucket))
            }
        }
        for level in book.ladder.resolutions.indices {
            var bucket: Int64?
            var sum: Int128 = 0
            for row in rows {
                guard let next = buckets[Int(row.span)][level] else { continue }
                if let open = bucket, open != next {
                    write(level, open, sum)
                    sum = 0
                }
                bucket = next
                sum &+= row.sum
            }
            if let bucket { write(level, bucket, sum) }
        }
        fold.weigh(record, rows.reduce(0) { $0 + Double($1.sum.magnitude) / 1e6 }, isFolded: isFolded)
    }

    /// Puts one counter's cell in its place; then closes the batch if it is full, unless the cell is part of a
    /// conditional group.
    private func write(
        _ number: UInt32, _ level: Int, bucket: Int64, sum: Int128, to draft: inout Draft, isConditional: Bool
    ) {
        let record = book.records[Int(number)]
        let fields = sum % 1_000_000 == 0 ? 1 : 2
        let place = placing.place(
            number, level, bucket: bucket, fieldCount: Int32(fields), in: &draft, isConditional: isConditional)
        if place.isDense {
            draft.add(sum, toStripOf: record.digest, target: place.target, offset: place.offset)
        } else {
            draft.add(sum, of: record.digest, target: place.target, page: place.page, offset: place.offset)
        }
        if !isConditional, draft.isFull { draft.closeBatch() }
    }
}
