import HailCore

/// Says under which record each cell of a shard is written, and gathers those of refused values.
///
/// A cell of an admitted value is its own. What is refused is counted under `__other__` beside its value; the children of
/// a refused value are a part of that already. So at every depth the children and `__other__` add up to the parent.
///
/// Lives for one build.
final class CellFold {
    /// A cell of a record, apart from where it is put.
    struct Cell: Hashable {
        let record: UInt32
        let level: Int
        let bucket: Int64
    }

    private let book: CellBook
    private let shard: Shard
    private(set) var sums: [Cell: Int128] = [:]
    private(set) var cells: [Cell: CellSums] = [:]
    /// What refused values gathered, by node.
    private var refused: [UInt32: Double] = [:]
    /// What dimensions gathered, by node, where some are full.
    private var totals: [UInt32: Double] = [:]

    init(book: CellBook, shard: Shard) {
        self.book = book
        self.shard = shard
    }

    /// The record under which a bucket is written; nil where another record has its sum.
    func target(of number: UInt32, _ level: Int, bucket: Int64) -> UInt32? {
        let record = book.records[Int(number)]
        guard record.node != Admissions.none else { return number }
        let chunk = book.ladder.resolutions[level].chunk(ofBucket: bucket)
        func isRefused(_ node: UInt32) -> Bool {
            node != Admissions.none && book.admissions.state(node, level, chunk: chunk, shard: shard) == .refused
        }
        guard isRefused(record.node) else { return number }
        var node = record.node
        while isRefused(book.admissions.nodes[Int(node)].parent) {
            // A gauge does not count at prefixes, so that nothing else has its value.
            guard record.kind == .gauge else { return nil }
            node = book.admissions.nodes[Int(node)].parent
        }
        return book.other(of: number, beside: node)
    }

    func add(_ sum: Int128, to cell: Cell) { sums[cell, default: 0] &+= sum }

    func add(_ more: CellSums, to cell: Cell) {
        if cells[cell]?.merge(more) == nil { cells[cell] = more }
    }

    /// Takes what was gathered in the group of a batch that is about to be closed, in a fixed order.
    func takeSums() -> [(cell: Cell, sum: Int128)] {
        defer { sums = [:] }
        return sums.sorted { CellFold.isBefore($0.key, $1.key) }.map { ($0.key, $0.value) }
    }

    func takeCells() -> [(cell: Cell, sums: CellSums)] {
        defer { cells = [:] }
        return cells.sorted { CellFold.isBefore($0.key, $1.key) }.map { ($0.key, $0.value) }
    }

    private static func isBefore(_ left: Cell, _ right: Cell) -> Bool {
        (left.record, left.level, left.bucket) < (right.record, right.level, right.bucket)
    }

    // MARK: Weights

    /// Notes how much a record gathered, and whether any of it went to `__other__`.
    func weigh(_ number: UInt32, _ weight: @autoclosure () -> Double, isFolded: Bool) {
        let record = book.records[Int(number)]
        guard record.node != Admissions.none else { return }
        if isFolded { refused[record.node, default: 0] += weight() }
        guard isFolded || book.admissions.hasFolds else { return }
        // Gauges do not count at the dimension itself.
        let node = book.admissions.nodes[Int(record.node)]
        if node.parent == Admissions.none || record.kind == .gauge { totals[node.dimension, default: 0] += weight() }
    }

    /// Tells the book what was heavy.
    ///
    /// - Returns: how many values had something folded.
    func finish(nowSeconds: Int64) -> Int {
        var byDimension: [UInt32: [(value: Digest, weight: Double)]] = [:]
        for (node, weight) in refused {
            let own = book.admissions.nodes[Int(node)]
            guard own.parent != Admissions.none else { continue }
            byDimension[own.dimension, default: []].append((book.groups[Int(own.group)].digest, weight))
        }
        for dimension in Set(byDimension.keys).union(totals.keys) {
            let own = book.admissions.nodes[Int(dimension)]
            book.admissions.count(
                subject: book.subjects[Int(own.subject)].digest, dimension: book.groups[Int(own.group)].digest,
                total: totals[dimension] ?? 0, refused: byDimension[dimension] ?? [], nowSeconds: nowSeconds)
        }
        book.admissions.numbered(shard)
        return refused.count
    }
}

extension CellSums {
    /// How much it counts among others of its dimension.
    var weight: Double {
        switch self {
        case .timer(let sums): Double(sums.countMicros) / 1e6
        case .gauge: 1
        case .set(let members): Double(members.count)
        }
    }
}
