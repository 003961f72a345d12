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
        var draft = Draft(shard: shard, agent: agent, nextSequence: firstSequence)
        for child in pending.children { draft.add(child: child, of: book) }
        let byCondition = Dictionary(grouping: pending.frames) { $0.key.condition }
        for row in rows(of: byCondition[nil] ?? []) {
            add(row, to: &draft)
            if draft.cellCount >= cellLimit { draft.closeBatch() }
        }
        draft.closeGroup(condition: nil)
        // A conditional group is never cut: the once-id is used up by the first script call that sees it.
        for (condition, frames) in byCondition {
            guard let condition else { continue }
            for row in rows(of: frames) { add(row, to: &draft) }
            draft.closeGroup(condition: condition)
            if draft.cellCount >= cellLimit { draft.closeBatch() }
        }
        if draft.isOpen || draft.batches.isEmpty { draft.closeBatch() }
        draft.batches[draft.batches.count - 1].covers = pending.windows
        return draft.batches
    }

    /// A counter's sum in one frame.
    private struct Row {
        let record: UInt32
        let subject: UInt32
        let startSeconds: Int64
        let widthSeconds: Int64
        let sum: Int128
    }

    /// Counter by counter, subjects together, in order of time.
    private func rows(of frames: [(key: Frame.Key, value: Frame)]) -> [[Row]] {
        var rows: [Row] = []
        for (key, frame) in frames {
            for (place, record) in frame.records.enumerated() {
                rows.append(
                    Row(
                        record: record, subject: book.records[Int(record)].subject,
                        startSeconds: key.startSeconds, widthSeconds: key.widthSeconds, sum: frame.sums[place]))
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
    private func add(_ rows: [Row], to draft: inout Draft) {
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
                    write(record, level, resolution, bucket: open, sum: sum, to: &draft)
                    sum = 0
                }
                bucket = next
                sum &+= row.sum
            }
            if let bucket { write(record, level, resolution, bucket: bucket, sum: sum, to: &draft) }
        }
    }

    /// Puts one cell in its place, and its names beside it where the chunk is new to this agent.
    private func write(
        _ number: UInt32, _ level: Int, _ resolution: Resolution, bucket: Int64, sum: Int128, to draft: inout Draft
    ) {
        let record = book.records[Int(number)]
        let chunk = resolution.chunk(ofBucket: bucket)
        let offset = resolution.offset(ofBucket: bucket)
        let subject = book.subjects[Int(record.subject)]
        let levels = book.ladder.resolutions.count
        let markPlace = Int(number) * levels + level
        let pagePlace = Int(record.subject) * levels + level
        var mark = book.cellMarks[markPlace]
        var page = book.pageMarks[pagePlace]
        if Int64(page.chunk) != chunk { page = CellBook.PageMark(chunk: Int32(truncatingIfNeeded: chunk), fieldCount: 0) }
        let target = Draft.Target(
            digest: subject.digest, widthSeconds: UInt32(resolution.widthSeconds), chunk: chunk,
            expirySeconds: UInt64(resolution.expirySeconds(ofChunk: chunk)))
        if Int64(mark.chunk) != chunk {
            let isOnFirstPage = page.fieldCount < BatchBuilder.firstPageFields
            mark = CellBook.CellMark(
                chunk: Int32(truncatingIfNeeded: chunk), lastOffset: Int16(offset), bucketCount: 1,
                isOnFirstPage: isOnFirstPage)
            if record.group == 0 || book.groups[Int(record.group)].isEmpty {
                let name = PageField.metric(book.metrics[Int(record.metric)], kind: .counter)
                draft.add(name: name, to: target, page: isOnFirstPage ? 0 : PageField.overflowPage(of: record.digest))
                page.fieldCount += 1
            } else if record.isFull {
                let name = PageField.group(book.groups[Int(record.group)])
                draft.add(name: name, to: target, page: isOnFirstPage ? 0 : PageField.overflowPage(of: record.digest))
                page.fieldCount += 1
            }
        } else if mark.lastOffset != Int16(offset) {
            mark.lastOffset = Int16(offset)
            if mark.bucketCount < .max { mark.bucketCount += 1 }
        }
        if mark.bucketCount > BatchBuilder.sparseBuckets {
            draft.add(sum, toStripOf: record.digest, target: target, offset: offset)
        } else {
            let pageNumber = mark.isOnFirstPage ? 0 : PageField.overflowPage(of: record.digest)
            draft.add(sum, of: record.digest, target: target, page: pageNumber, offset: offset)
            if mark.isOnFirstPage { page.fieldCount += 1 }
        }
        book.cellMarks[markPlace] = mark
        book.pageMarks[pagePlace] = page
    }
}
