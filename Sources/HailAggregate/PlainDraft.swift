import HailCore

/// Plain batches of one shard in the making: counters, names and children, written as the bytes of `Batch.encoded` at
/// once.
///
/// Cells must come subject by subject, since those of one page are gathered until their subject ends.
struct PlainDraft: ~Copyable {
    /// A cell's part, or a name, that goes to a page.
    private struct PageItem {
        let target: Draft.Target
        let page: UInt8
        let isNew: Bool
        /// The place of a name in `names`; -1 for a cell.
        let name: Int32
        /// The first eight bytes of a cell's field, then the last two.
        let high: UInt64
        let low: UInt16
        let value: Int64
    }

    /// A name in a page.
    private struct NamePlace: Hashable {
        let level: Int
        let chunk: Int64
        let page: UInt8
        let name: [UInt8]
    }

    private let shard: Shard
    private let agent: Digest
    private let cellLimit: Int
    private var nextSequence: UInt64
    private let emit: (EncodedBatch) -> Void

    private var body = EntryBytes()
    private var entryCount = 0
    private var cellCount = 0
    private var itemCount = 0
    private var pageItems: [PageItem] = []
    private var names: [[UInt8]] = []
    private var knownNames: Set<NamePlace> = []
    /// Of `pageItems`: page by page, names apart from cells, each in the order they came.
    private var order: [UInt64] = []
    /// The batch closed last: it is handed over once it is known whether it is the last of all.
    private var closed: (entryCount: Int, cellCount: Int)?
    private var closedBody = EntryBytes()

    init(shard: Shard, agent: Digest, cellLimit: Int, nextSequence: UInt64, emit: @escaping (EncodedBatch) -> Void) {
        self.shard = shard
        self.agent = agent
        self.cellLimit = cellLimit
        self.nextSequence = nextSequence
        self.emit = emit
    }

    mutating func add(child: UInt32, of book: CellBook) {
        let name = Array((book.subjects[Int(child)].parts.last ?? "").utf8)
        let parent = book.subjects[Int(book.subjects[Int(child)].parent)].digest
        beginEntry(
            StoreKey.Letter.names, parent, widthSeconds: 0, chunk: 0, page: 0, expirySeconds: 0, .child, isNew: false,
            itemCount: 1, room: name.count + 10)
        put(name, 0)
        itemCount += 1
        closeIfFull()
    }

    /// Adds a name to a page of the open subject, once; the cell that brings it follows.
    mutating func add(name: [UInt8], page: UInt8, at place: CellPlacing.Place, level: Int) {
        let own = NamePlace(level: level, chunk: place.target.chunk, page: page, name: name)
        guard knownNames.insert(own).inserted else { return }
        addToPage(place, level, page, isNew: true, name: Int32(names.count), 0, 0, 1)
        names.append(name)
    }

    /// Adds a counter's cell.
    ///
    /// - Parameter level: of the resolution; a page belongs to one.
    mutating func add(_ sum: Int128, of record: Digest, at place: CellPlacing.Place, level: Int) {
        cellCount += 1
        if let small = Int64(exactly: sum), small % 1_000_000 == 0 {
            if place.isDense {
                beginStrip(record, place, itemCount: 1)
                putStrip(place.offset, small / 1_000_000)
            } else {
                addCell(record, place, level, small / 1_000_000, isMillionths: false)
            }
        } else {
            addParts(of: sum, of: record, at: place, level: level)
        }
        closeIfFull()
    }

    /// The whole part and, where there is a fraction, its millionths.
    private mutating func addParts(of sum: Int128, of record: Digest, at place: CellPlacing.Place, level: Int) {
        let amount = Amount(micros: sum)
        let wholes = Draft.pieces(of: amount.whole).filter { $0 != 0 || amount.millionths == 0 }
        guard place.isDense else {
            for piece in wholes { addCell(record, place, level, piece, isMillionths: false) }
            if amount.millionths != 0 { addCell(record, place, level, amount.millionths, isMillionths: true) }
            return
        }
        beginStrip(record, place, itemCount: wholes.count + (amount.millionths == 0 ? 0 : 1))
        for piece in wholes { putStrip(place.offset, piece) }
        if amount.millionths != 0 { putStrip(place.offset + PageField.millionthsBase, amount.millionths) }
    }

    /// Ends the cells of a subject.
    mutating func endSubject() {
        guard !pageItems.isEmpty else { return }
        order.sort()
        var first = 0
        while first < order.count {
            let head = pageItems[Int(order[first] & PlainDraft.placeMask)]
            // A page of one level; late events bring cells of another chunk in between.
            var end = first
            var isNew = false
            while end < order.count {
                let item = pageItems[Int(order[end] & PlainDraft.placeMask)]
                guard order[end] & ~PlainDraft.placeMask == order[first] & ~PlainDraft.placeMask,
                    item.target.chunk == head.target.chunk
                else { break }
                isNew = isNew || item.isNew
                end += 1
            }
            let target = head.target
            beginEntry(
                StoreKey.Letter.page, target.digest, widthSeconds: target.widthSeconds, chunk: target.chunk,
                page: head.page, expirySeconds: target.expirySeconds, head.name >= 0 ? .name : .add, isNew: isNew,
                itemCount: end - first, room: 20 * (end - first))
            for place in order[first..<end] {
                let item = pageItems[Int(place & PlainDraft.placeMask)]
                if item.name >= 0 {
                    body.reserve(names[Int(item.name)].count + 10)
                    put(names[Int(item.name)], item.value)
                } else {
                    body.put(UInt16(10))
                    body.put(item.high)
                    body.put(item.low)
                    body.put(item.value)
                }
            }
            first = end
        }
        pageItems.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
        knownNames.removeAll(keepingCapacity: true)
        order.removeAll(keepingCapacity: true)
    }

    /// Hands over all that is left.
    ///
    /// - Parameter covers: the windows of which this is the last; nil if more follows elsewhere. With windows there is a
    ///   batch even where nothing was added.
    /// - Returns: the next number.
    mutating func finish(covers: [UInt64]?) -> UInt64 {
        endSubject()
        if entryCount > 0 || (closed == nil && covers != nil) { closeBatch() }
        handOver(covers: covers ?? [])
        return nextSequence
    }

    // MARK: Batches

    private mutating func closeIfFull() {
        guard cellCount >= cellLimit || itemCount >= 2 * cellLimit else { return }
        endSubject()
        closeBatch()
    }

    private mutating func closeBatch() {
        handOver(covers: [])
        closed = (entryCount, cellCount)
        swap(&body, &closedBody)
        body.removeAll()
        entryCount = 0
        cellCount = 0
        itemCount = 0
    }

    private mutating func handOver(covers: [UInt64]) {
        guard let last = closed else { return }
        closed = nil
        emit(
            EncodedBatch(
                shard: shard, agent: agent, sequence: nextSequence, cellCount: last.cellCount, covers: covers,
                entryCount: last.entryCount, entries: closedBody.bytes))
        nextSequence += 1
    }

    // MARK: Entries

    private static let placeMask: UInt64 = 1 << 40 - 1

    private mutating func addCell(
        _ record: Digest, _ place: CellPlacing.Place, _ level: Int, _ value: Int64, isMillionths: Bool
    ) {
        addToPage(
            place, level, place.page, isNew: place.isNew, name: -1, record.high | 1 << 63,
            UInt16(place.offset) | (isMillionths ? 1 << 15 : 0), value)
    }

    private mutating func addToPage(
        _ place: CellPlacing.Place, _ level: Int, _ page: UInt8, isNew: Bool, name: Int32, _ high: UInt64,
        _ low: UInt16,
        _ value: Int64
    ) {
        let key = UInt64(level) << 56 | UInt64(page) << 48 | (name >= 0 ? 1 << 47 : 0)
        order.append(key | UInt64(pageItems.count))
        pageItems.append(
            PageItem(target: place.target, page: page, isNew: isNew, name: name, high: high, low: low, value: value))
        itemCount += 1
    }

    private mutating func beginStrip(_ record: Digest, _ place: CellPlacing.Place, itemCount: Int) {
        beginEntry(
            StoreKey.Letter.counterStrip, record, widthSeconds: place.target.widthSeconds, chunk: place.target.chunk,
            page: 0, expirySeconds: place.target.expirySeconds, .add, isNew: place.isNew, itemCount: itemCount,
            room: 20 * itemCount)
        self.itemCount += itemCount
    }

    private mutating func beginEntry(
        _ letter: UInt8, _ digest: Digest, widthSeconds: UInt32, chunk: Int64, page: UInt8, expirySeconds: UInt64,
        _ operation: BatchEntry.Operation, isNew: Bool, itemCount: Int, room: Int
    ) {
        body.reserve(64 + room)
        body.put(letter)
        body.put(digest.high)
        body.put(digest.low)
        body.put(widthSeconds)
        body.put(UInt64(bitPattern: chunk))
        body.put(page)
        body.put(expirySeconds)
        body.put(operation.rawValue)
        body.put(UInt8(isNew ? 1 : 0))
        body.put(UInt32(itemCount))
        entryCount += 1
    }

    private mutating func put(_ field: [UInt8], _ value: Int64) {
        body.put(UInt16(field.count))
        body.put(field)
        body.put(value)
    }

    /// An item of a strip; the field is a decimal of four digits at most.
    private mutating func putStrip(_ offset: Int, _ value: Int64) {
        var digits: UInt16 = 1
        var power = 10
        while offset >= power {
            digits += 1
            power *= 10
        }
        body.put(digits)
        var rest = offset
        for _ in 0..<digits {
            power /= 10
            body.put(UInt8(ascii: "0") + UInt8(rest / power))
            rest %= power
        }
        body.put(value)
    }
}
