import HailCore

/// Decides where the cells of a record go, and which names the store must learn beside them.
struct CellPlacing {
    /// A cell goes to a strip from its record's third bucket in a chunk on: a strip takes 6–8 bytes a cell but
    /// a key of its own, a page 14–16 bytes and none.
    private static let sparseBuckets = 2
    /// Fields one agent puts in a subject's first page; two agents stay below the 512 up to which Redis packs a hash.
    private static let firstPageFields: Int32 = 250

    let book: CellBook

    /// Where one cell goes.
    struct Place {
        let target: Draft.Target
        let offset: Int
        /// Whether it goes to strips of its own; else to the page.
        let isDense: Bool
        let page: UInt8
    }

    /// The place of a cell; names that its chunk may not have yet are added to the draft.
    ///
    /// A conditional group leaves no mark, since the store may leave it out: the next cell brings the names again.
    ///
    /// - Parameter fieldCount: fields that the cell takes in a page; 0 where it never goes there.
    func place(
        _ number: UInt32, _ level: Int, bucket: Int64, fieldCount: Int32, in draft: inout Draft, isConditional: Bool
    ) -> Place {
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
            digest: book.subjects[Int(record.subject)].digest, widthSeconds: resolution.storedWidth,
            chunk: chunk, expirySeconds: UInt64(resolution.expirySeconds(ofChunk: chunk)))
        var isNewField = true
        if Int64(mark.chunk) != chunk {
            mark = CellBook.CellMark(
                chunk: Int32(truncatingIfNeeded: chunk), lastOffset: Int16(offset), bucketCount: 1,
                isOnFirstPage: page.fieldCount < CellPlacing.firstPageFields)
            let isNamedOnFirst = isNamedOnFirstPage(record, level, chunk: chunk) ?? mark.isOnFirstPage
            let (name, digest) = name(of: record)
            draft.add(name: name, to: target, page: isNamedOnFirst ? 0 : PageField.overflowPage(of: digest))
            if isNamedOnFirst { page.fieldCount += 1 }
        } else if mark.lastOffset != Int16(offset) {
            mark.lastOffset = Int16(offset)
            if mark.bucketCount < .max { mark.bucketCount += 1 }
        } else {
            isNewField = false
        }
        let isDense = mark.bucketCount > CellPlacing.sparseBuckets
        if !isDense, mark.isOnFirstPage, isNewField { page.fieldCount += fieldCount }
        book.pageMarks[pagePlace] = page
        if !isConditional { book.cellMarks[markPlace] = mark }
        return Place(
            target: target, offset: offset, isDense: isDense,
            page: mark.isOnFirstPage ? 0 : PageField.overflowPage(of: record.digest))
    }

    /// Where the store put the name of a record's group; nil if it was not asked.
    private func isNamedOnFirstPage(_ record: CellBook.Record, _ level: Int, chunk: Int64) -> Bool? {
        guard record.node != Admissions.none else { return nil }
        let shard = book.subjects[Int(record.subject)].shard
        return switch book.admissions.state(record.node, level, chunk: chunk, shard: shard) {
        case .onFirstPage: true
        case .onOverflowPage: false
        case .unknown, .refused: nil
        }
    }

    /// What a page must hold for a reader to find a record: its metric's name beside the overall group, the group's
    /// name beside every other.
    private func name(of record: CellBook.Record) -> (name: [UInt8], digest: Digest) {
        let group = book.groups[Int(record.group)]
        guard group.path.isEmpty else { return (PageField.group(group.path), group.digest) }
        let name = PageField.metric(book.metrics[Int(record.metric)], kind: record.kind)
        return (name, book.digest(of: name))
    }
}
