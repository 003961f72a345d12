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
        /// Whether the cell's fields may be new, so that its key may be.
        let isNew: Bool
        /// Where the record's name goes, which its chunk may not have yet; nil where it has it.
        let isNamedOnFirstPage: Bool?
    }

    /// The place of a cell.
    ///
    /// A conditional group leaves no mark, since the store may leave it out: the next cell brings the names again.
    ///
    /// - Parameter fieldCount: fields that the cell takes in a page; 0 where it never goes there.
    func place(
        _ number: UInt32, _ record: CellBook.Record, at bucket: BucketPlace, fieldCount: Int32, isConditional: Bool
    ) -> Place {
        let levels = book.ladder.resolutions.count
        let chunk = Int32(truncatingIfNeeded: bucket.chunk)
        let offset = Int16(bucket.offset)
        let markPlace = Int(number) * levels + bucket.level
        let pagePlace = Int(record.subject) * levels + bucket.level
        var mark = book.cellMarks[markPlace]
        var page = book.pageMarks[pagePlace]
        if page.chunk != chunk { page = CellBook.PageMark(chunk: chunk, fieldCount: 0) }
        var isNewField = true
        var isNamedOnFirstPage: Bool?
        if mark.chunk != chunk {
            mark = CellBook.CellMark(
                chunk: chunk, lastOffset: offset, bucketCount: 1,
                isOnFirstPage: page.fieldCount < CellPlacing.firstPageFields)
            let isNamed = self.isNamedOnFirstPage(record, bucket) ?? mark.isOnFirstPage
            if isNamed { page.fieldCount += 1 }
            isNamedOnFirstPage = isNamed
        } else if mark.lastOffset != offset {
            mark.lastOffset = offset
            if mark.bucketCount < .max { mark.bucketCount += 1 }
        } else {
            isNewField = false
        }
        let isDense = mark.bucketCount > CellPlacing.sparseBuckets
        if !isDense, mark.isOnFirstPage, isNewField { page.fieldCount += fieldCount }
        book.pageMarks[pagePlace] = page
        if !isConditional { book.cellMarks[markPlace] = mark }
        return Place(
            target: Draft.Target(
                digest: book.subjects[Int(record.subject)].digest, widthSeconds: bucket.widthSeconds,
                chunk: bucket.chunk, expirySeconds: bucket.expirySeconds),
            offset: bucket.offset, isDense: isDense,
            page: mark.isOnFirstPage ? 0 : PageField.overflowPage(of: record.digest),
            isNew: isNewField || isConditional, isNamedOnFirstPage: isNamedOnFirstPage)
    }

    /// Where the store put the name of a record's group; nil if it was not asked.
    private func isNamedOnFirstPage(_ record: CellBook.Record, _ bucket: BucketPlace) -> Bool? {
        guard record.node != Admissions.none else { return nil }
        return switch book.admissions.state(record.node, bucket.level, chunk: bucket.chunk, shard: record.shard) {
        case .onFirstPage: true
        case .onOverflowPage: false
        case .unknown, .refused: nil
        }
    }

    /// What a page must hold for a reader to find a record: its metric's name beside the overall group, the group's
    /// name beside every other.
    func name(of record: CellBook.Record, isOnFirstPage: Bool) -> (bytes: [UInt8], page: UInt8) {
        let group = book.groups[Int(record.group)]
        guard group.path.isEmpty else {
            return (PageField.group(group.path), isOnFirstPage ? 0 : PageField.overflowPage(of: group.digest))
        }
        let name = PageField.metric(book.metrics[Int(record.metric)], kind: record.kind)
        return (name, isOnFirstPage ? 0 : PageField.overflowPage(of: book.digest(of: name)))
    }

    /// Adds the name that the chunk of a cell may not have.
    func addName(of record: CellBook.Record, at place: Place, to draft: inout Draft) {
        guard let isOnFirstPage = place.isNamedOnFirstPage else { return }
        let name = name(of: record, isOnFirstPage: isOnFirstPage)
        draft.add(name: name.bytes, to: place.target, page: name.page)
    }
}
