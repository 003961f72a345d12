import HailCore

/// Batches of one shard in the making: gathers fields by store key.
struct Draft {
    /// A chunk of a subject, in which pages and strips lie.
    struct Target: Hashable {
        let digest: Digest
        let widthSeconds: UInt32
        let chunk: Int64
        let expirySeconds: UInt64
    }

    private struct EntryKey: Hashable {
        let letter: UInt8
        let digest: Digest
        let widthSeconds: UInt32
        let chunk: Int64
        let page: UInt8
        let operation: BatchEntry.Operation
        /// Keeps apart what must stay in order: the steps of a gauge that moves.
        var step = 0
    }

    /// A name in an entry.
    private struct NamePlace: Hashable {
        let key: EntryKey
        let name: [UInt8]
    }

    private let shard: Shard
    private let agent: Digest
    private let cellLimit: Int
    private var nextSequence: UInt64
    private let emit: (EncodedBatch) -> Void
    /// The batch closed last: it is handed over once it is known whether it is the last of all.
    private var closed: Batch?
    private var cellCount = 0
    private var itemCount = 0
    private var step = 0
    private var groups: [BatchGroup] = []
    private var entries: [BatchEntry] = []
    private var places: [EntryKey: Int] = [:]
    /// The names that the open group brings.
    private var names: Set<NamePlace> = []

    init(shard: Shard, agent: Digest, cellLimit: Int, nextSequence: UInt64, emit: @escaping (EncodedBatch) -> Void) {
        self.shard = shard
        self.agent = agent
        self.cellLimit = cellLimit
        self.nextSequence = nextSequence
        self.emit = emit
    }

    /// Whether the open batch has as much as one script call should carry: cells, or names and other fields.
    var isFull: Bool { cellCount >= cellLimit || itemCount >= 2 * cellLimit }

    mutating func add(child: UInt32, of book: CellBook) {
        let subject = book.subjects[Int(child)]
        let parent = book.subjects[Int(subject.parent)]
        let key = EntryKey(
            letter: StoreKey.Letter.names, digest: parent.digest, widthSeconds: 0, chunk: 0, page: 0,
            operation: .child)
        add(Array((subject.parts.last ?? "").utf8), 0, to: key, expirySeconds: 0)
    }

    /// Adds a name to a page, once a group.
    mutating func add(name: [UInt8], to target: Target, page: UInt8) {
        let key = EntryKey(
            letter: StoreKey.Letter.page, digest: target.digest, widthSeconds: target.widthSeconds,
            chunk: target.chunk, page: page, operation: .name)
        guard names.insert(NamePlace(key: key, name: name)).inserted else { return }
        add(name, 1, to: key, expirySeconds: target.expirySeconds)
    }

    mutating func add(_ sum: Int128, of record: Digest, target: Target, page: UInt8, offset: Int) {
        let key = EntryKey(
            letter: StoreKey.Letter.page, digest: target.digest, widthSeconds: target.widthSeconds,
            chunk: target.chunk, page: page, operation: .add)
        addParts(of: sum, to: key, target) { PageField.cell(record, offset: offset, isMillionths: $0) }
    }

    mutating func add(_ sum: Int128, toStripOf record: Digest, target: Target, offset: Int) {
        let key = EntryKey(
            letter: StoreKey.Letter.counterStrip, digest: record, widthSeconds: target.widthSeconds,
            chunk: target.chunk, page: 0, operation: .add)
        addParts(of: sum, to: key, target) { PageField.strip(offset: offset, isMillionths: $0) }
    }

    /// Adds one component of a timer's cell.
    ///
    /// - Parameter text: stands for the number where that is none that fits 64 bits.
    mutating func add(
        _ component: TimerComponent, number: Int64, text: String?, of record: Digest, at place: CellPlacing.Place
    ) {
        let operation: BatchEntry.Operation =
            switch component {
            case .count, .countMillionths, .sum, .sumMillionths: .add
            case .least: .least
            case .greatest: .greatest
            case .squares: .addFloat
            }
        let target = place.target
        var field: [UInt8]
        let key: EntryKey
        if place.isDense {
            key = EntryKey(
                letter: StoreKey.Letter.timerStrip, digest: record, widthSeconds: target.widthSeconds,
                chunk: target.chunk, page: component.rawValue, operation: operation)
            field = PageField.strip(offset: place.offset, isMillionths: false)
        } else {
            key = EntryKey(
                letter: StoreKey.Letter.page, digest: target.digest, widthSeconds: target.widthSeconds,
                chunk: target.chunk, page: place.page, operation: operation)
            field = PageField.timer(record, offset: place.offset, component)
        }
        if let text { field += Array(" \(text)".utf8) }
        add(field, number, to: key, expirySeconds: target.expirySeconds)
    }

    /// Begins entries of their own for the gauges' cells that follow.
    ///
    /// A move is worked out where it meets the all-time value, and the entries behind it take the result, up to the
    /// next move; so a step has one move at most, and none is mixed into an earlier entry.
    mutating func beginStep() { step += 1 }

    /// Adds a gauge's cell.
    ///
    /// - Parameter isStep: whether its place among the record's other cells matters; see `beginStep`.
    mutating func add(
        _ moves: GaugeMoves, of record: Digest, at place: CellPlacing.Place, isAllTime: Bool, isStep: Bool
    ) {
        let operation: BatchEntry.Operation = moves.value != nil ? .last : isAllTime ? .move : .moved
        let key = EntryKey(
            letter: StoreKey.Letter.gaugeStrip, digest: record, widthSeconds: place.target.widthSeconds,
            chunk: place.target.chunk, page: 0, operation: operation, step: isStep ? step : 0)
        var field = PageField.strip(offset: place.offset, isMillionths: false)
        if operation != .moved { field += Array(" \(moves.value ?? moves.move)".utf8) }
        add(field, moves.timeMillis, to: key, expirySeconds: place.target.expirySeconds)
    }

    /// Adds a timer's sketch, in whole values: a bucket that stands for less than one counts as one.
    mutating func add(sketch: [Int32: Int64], at own: BucketKey) {
        let key = EntryKey(
            letter: StoreKey.Letter.sketch, digest: own.digest, widthSeconds: own.widthSeconds, chunk: own.bucket,
            page: 0, operation: .add)
        for (bucket, micros) in sketch {
            var field: [UInt8] = []
            StoreKey.appendDecimal(Int64(bucket), to: &field)
            let values = micros / 1_000_000 + (micros % 1_000_000 < 500_000 ? 0 : 1)
            add(field, max(1, values), to: key, expirySeconds: own.expirySeconds)
        }
    }

    /// Adds a set's member; there may be more than one batch should carry, so the caller looks after each.
    mutating func add(member: UInt64, at own: BucketKey) {
        let key = EntryKey(
            letter: StoreKey.Letter.members, digest: own.digest, widthSeconds: own.widthSeconds, chunk: own.bucket,
            page: 0, operation: .distinct)
        let field = (0..<8).map { UInt8(truncatingIfNeeded: member >> UInt64(56 - 8 * $0)) }
        add(field, 0, to: key, expirySeconds: own.expirySeconds)
    }

    mutating func countCell() { cellCount += 1 }

    /// Ends a group of entries; an empty one leaves nothing.
    mutating func closeGroup(condition: BatchGroup.Condition?) {
        guard !entries.isEmpty else { return }
        groups.append(BatchGroup(condition: condition, entries: entries))
        entries = []
        places.removeAll(keepingCapacity: true)
        names.removeAll(keepingCapacity: true)
    }

    mutating func closeBatch() {
        closeGroup(condition: nil)
        if let closed { emit(EncodedBatch(closed)) }
        closed = Batch(
            shard: shard, agent: agent, sequence: nextSequence, cellCount: UInt32(cellCount), covers: [],
            groups: groups)
        nextSequence += 1
        groups = []
        cellCount = 0
        itemCount = 0
    }

    /// Closes what is open and hands over the last batch, which brings the last of the windows; there is one even where
    /// nothing was added.
    mutating func finish(covers: [UInt64]) {
        if !entries.isEmpty || !groups.isEmpty || closed == nil { closeBatch() }
        closed?.covers = covers
        if let closed { emit(EncodedBatch(closed)) }
        closed = nil
    }

    /// The whole part and, where there is a fraction, its millionths.
    private mutating func addParts(
        of sum: Int128, to key: EntryKey, _ target: Target, field: (_ isMillionths: Bool) -> [UInt8]
    ) {
        let amount = Amount(micros: sum)
        for piece in Draft.pieces(of: amount.whole) where piece != 0 || amount.millionths == 0 {
            add(field(false), piece, to: key, expirySeconds: target.expirySeconds)
        }
        if amount.millionths != 0 {
            add(field(true), amount.millionths, to: key, expirySeconds: target.expirySeconds)
        }
        cellCount += 1
    }

    /// A whole number as numbers of 64 bits that add up to it, so that the store refuses a cell by name instead of this
    /// agent trapping; three take any cell past its bounds, so there are no more.
    static func pieces(of whole: Int128) -> [Int64] {
        var pieces: [Int64] = []
        var rest = whole
        repeat {
            pieces.append(Int64(clamping: rest))
            rest -= Int128(Int64(clamping: rest))
        } while rest != 0 && pieces.count < 3
        return pieces
    }

    private mutating func add(_ field: [UInt8], _ value: Int64, to key: EntryKey, expirySeconds: UInt64) {
        let item = BatchEntry.Item(field: field, value: value)
        itemCount += 1
        if let place = places[key] {
            entries[place].items.append(item)
            return
        }
        places[key] = entries.count
        entries.append(
            BatchEntry(
                letter: key.letter, digest: key.digest, widthSeconds: key.widthSeconds, chunk: key.chunk,
                page: key.page, expirySeconds: expirySeconds, operation: key.operation, items: [item]))
    }
}
