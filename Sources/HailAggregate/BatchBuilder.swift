package import HailCore

/// Turns what a shard has pending into batches: works out the cells of each counter, puts each in a page or in
/// a strip of its own, and says which names the store must learn.
package struct BatchBuilder {
    /// A cell goes to a strip from its counter's third bucket in a chunk on: a strip takes 6–8 bytes a cell but
    /// a key of its own, a page 14–16 bytes and none.
    private static let sparseBuckets = 2
    /// Fields one agent puts in a subject's first page; two agents stay below the 512 up to which Redis packs a hash.
    private static let firstPageFields: Int32 = 250

    private let book: CellBook
    private let agent: Digest
    private let nowSeconds: Int64
    private let cellLimit: Int

    package init(book: CellBook, agent: Digest, nowSeconds: Int64, cellLimit: Int = Limits.cellsPerBatch) {
        self.book = book
        self.agent = agent
        self.nowSeconds = nowSeconds
        self.cellLimit = cellLimit
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
    package func build(
        _ pending: PendingShard, shard: Shard, firstSequence: UInt64, emit: (Batch) -> Void
    ) {
        withoutActuallyEscaping(emit) { emit in
            build(
                pending,
                Draft(
                    shard: shard, agent: agent, cellLimit: cellLimit, nextSequence: firstSequence, emit: emit))
        }
    }

    private func build(_ pending: PendingShard, _ draft: consuming Draft) {
        for child in pending.children {
            draft.add(child: child, of: book)
            if draft.isFull { draft.closeBatch() }
        }
        let byCondition = Dictionary(grouping: pending.spans) { $0.key.condition }
        for row in rows(of: byCondition[nil] ?? []) { add(row, to: &draft, isConditional: false) }
        draft.closeGroup(condition: nil)
        // A conditional group is never cut: the once-id is used up by the first script call that sees it.
        for (condition, spans) in byCondition {
            guard let condition else { continue }
            for row in rows(of: spans) { add(row, to: &draft, isConditional: true) }
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
        let widthSeconds: Int64
        let sum: Int128
    }

    /// Counter by counter, subjects together, in order of time.
    private func rows(of spans: [(key: SpanSums.Key, value: SpanSums)]) -> [[Row]] {
        var rows: [Row] = []
        for (key, span) in spans {
            for (place, record) in span.records.enumerated() {
                rows.append(
                    Row(
                        record: record, subject: book.records[Int(record)].subject,
                        startSeconds: key.startSeconds, widthSeconds: key.widthSeconds, sum: span.sums[place]))
            }
        }
        rows.sort { ($0.subject, $0.record, $0.startSeconds) < ($1.subject, $1.record, $1.startSeconds) }
        var grouped: [[Row]] = []
        for row in rows {
            if let last = grouped.last?.last, last.record == row.record {
                grouped[grouped.count - 1].append(row)
            } else {
                grouped.append([row])
            }
        }
        return grouped
    }

    /// Adds the cells of one counter, every resolution of every row.
    private func add(_ rows: [Row], to draft: inout Draft, isConditional: Bool) {
        guard let record = rows.first?.record else { return }
        for (level, resolution) in book.ladder.resolutions.enumerated() {
            var bucket: Int64?
            var sum: Int128 = 0
            for row in rows
            where (resolution.isAllTime || resolution.widthSeconds >= row.widthSeconds)
                && resolution.keeps(row.startSeconds, now: nowSeconds)
            {
                let next = resolution.bucket(at: row.startSeconds)
                if let open = bucket, open != next {
                    write(record, level, bucket: open, sum: sum, to: &draft, isConditional: isConditional)
                    sum = 0
                }
                bucket = next
                sum &+= row.sum
            }
            if let bucket {
                write(record, level, bucket: bucket, sum: sum, to: &draft, isConditional: isConditional)
            }
        }
    }

    /// Puts one cell in its place, and its names beside it where the chunk is new to this agent; then closes the
    /// batch if it is full, unless the cell is part of a conditional group.
    ///
    /// A conditional group leaves no mark, since the store may leave it out: the next cell brings the names again.
    private func write(
        _ number: UInt32, _ level: Int, bucket: Int64, sum: Int128, to draft: inout Draft, isConditional: Bool
    ) {
        let record = book.records[Int(number)]
        let resolution = book.ladder.resolutions[level]
        let chunk = resolution.chunk(ofBucket: bucket)
        let offset = resolution.offset(ofBucket: bucket)
        let levels = book.ladder.resolutions.count
        let markPlace = Int(number) * levels + level
        let pagePlace = Int(record.subject) * levels + level
        var mark = book.cellMarks[markPlace]
        var page = book.pageMarks[pagePlace]
        if Int64(page.chunk) != chunk {
            page = CellBook.PageMark(chunk: Int32(truncatingIfNeeded: chunk), fieldCount: 0)
        }
        let target = Draft.Target(
            digest: book.subjects[Int(record.subject)].digest, widthSeconds: UInt32(resolution.widthSeconds),
            chunk: chunk, expirySeconds: UInt64(resolution.expirySeconds(ofChunk: chunk)))
        var isNewField = true
        if Int64(mark.chunk) != chunk {
            mark = CellBook.CellMark(
                chunk: Int32(truncatingIfNeeded: chunk), lastOffset: Int16(offset), bucketCount: 1,
                isOnFirstPage: page.fieldCount < BatchBuilder.firstPageFields)
            if let name = name(of: record) {
                draft.add(
                    name: name, to: target,
                    page: mark.isOnFirstPage ? 0 : PageField.overflowPage(of: book.digest(of: name)))
                if mark.isOnFirstPage { page.fieldCount += 1 }
            }
        } else if mark.lastOffset != Int16(offset) {
            mark.lastOffset = Int16(offset)
            if mark.bucketCount < .max { mark.bucketCount += 1 }
        } else {
            isNewField = false
        }
        if mark.bucketCount > BatchBuilder.sparseBuckets {
            draft.add(sum, toStripOf: record.digest, target: target, offset: offset)
        } else {
            draft.add(sum, of: record.digest, target: target, page: pageNumber(of: record, mark), offset: offset)
            if mark.isOnFirstPage, isNewField { page.fieldCount += sum % 1_000_000 == 0 ? 1 : 2 }
        }
        book.pageMarks[pagePlace] = page
        if isConditional { return }
        book.cellMarks[markPlace] = mark
        if draft.isFull { draft.closeBatch() }
    }

    private func pageNumber(of record: CellBook.Record, _ mark: CellBook.CellMark) -> UInt8 {
        mark.isOnFirstPage ? 0 : PageField.overflowPage(of: record.digest)
    }

    /// What a page must hold for a reader to find a counter: its metric's name beside the overall group, the
    /// group's name beside every other that a line named in full.
    private func name(of record: CellBook.Record) -> [UInt8]? {
        let group = book.groups[Int(record.group)]
        if group.isEmpty { return PageField.metric(book.metrics[Int(record.metric)], kind: .counter) }
        return record.isFull ? PageField.group(group) : nil
    }
}
