import HailCore

/// The nodes the flush side knows, and which of them the store admitted in which chunk.
///
/// A node is a group of a subject other than the overall one. Where nothing is known of a node, the store has to be
/// asked before cells of it get a number; a node whose parent is refused, or whose dimension is full, is refused
/// without asking.
///
/// Confined to the flush queue. A class, since copies of it would be made wherever the book's is looked at.
final class Admissions {
    struct Node {
        let subject: UInt32
        let group: UInt32
        /// The node one part shorter; `none` for a dimension.
        let parent: UInt32
        /// The node of its first part; its own number for a dimension.
        let dimension: UInt32
    }

    /// No node: the overall group, and what is counted as `__other__`; always admitted.
    static let none = UInt32.max

    enum State: UInt8 {
        case unknown
        case onFirstPage
        case onOverflowPage
        case refused
    }

    /// What is known of a node in the newest chunk of one resolution.
    private struct Mark {
        var chunk: Int32
        var state: State

        static let unknown = Mark(chunk: .min, state: .unknown)
    }

    /// A node, or what it counts among, in a chunk of a resolution.
    struct Place: Hashable {
        let number: UInt64
        let level: Int
        let chunk: Int64
    }

    /// Why ordinary or all new values of a dimension are refused.
    private enum Fullness: Int {
        /// What is left is for heavy values.
        case forOrdinary
        case forAll
    }

    private struct HeavyKey: Hashable {
        let subject: Digest
        let dimension: UInt64
    }

    /// The most nodes of a dimension in a chunk, and the most dimensions of a subject.
    let valueLimit: Int
    private let levels: Int
    private(set) var nodes: [Node] = []
    /// By node, then resolution.
    private var marks: [Mark] = []
    private var numbers: [UInt64: UInt32] = [:]
    /// What is known of other chunks than the newest, by shard, until the shard's cells are numbered.
    private var late = [[Place: State]](repeating: [:], count: 256)
    private var fullness: [Place: Fullness] = [:]
    /// First pages, by subject, in which no name finds room any more.
    private var widePages: Set<Place> = []
    private var heavy: [HeavyKey: HeavyValues] = [:]

    /// Chunks remembered as full or wide; past it they are asked for anew.
    private static let chunkLimit = 65_536
    /// Dimensions whose heavy values are looked for at once, and the counters of one.
    private static let heavyDimensions = 64
    private static let heavyCounters = 20_000

    init(valueLimit: Int, levels: Int) {
        self.valueLimit = valueLimit
        self.levels = levels
    }

    /// Whether anything is ever refused.
    var isBounded: Bool { valueLimit < .max }

    /// Places that ordinary values may take; the last tenth is kept for heavy ones that come later.
    var ordinaryLimit: Int { valueLimit - valueLimit / 10 }

    /// Whether any dimension was full lately.
    var hasFolds: Bool { !fullness.isEmpty }

    // MARK: Nodes

    func node(subject: UInt32, group: UInt32, parent: UInt32) -> UInt32 {
        let key = UInt64(subject) << 32 | UInt64(group)
        if let known = numbers[key] { return known }
        let number = UInt32(nodes.count)
        let dimension = parent == Admissions.none ? number : nodes[Int(parent)].dimension
        nodes.append(Node(subject: subject, group: group, parent: parent, dimension: dimension))
        marks.append(contentsOf: repeatElement(.unknown, count: levels))
        numbers[key] = number
        return number
    }

    /// Takes over what was known of a node under an earlier number.
    func take(_ node: UInt32, from old: Admissions, _ oldNode: UInt32) {
        for level in 0..<levels { marks[Int(node) * levels + level] = old.marks[Int(oldNode) * levels + level] }
    }

    /// The same bounds and heavy values, and no nodes.
    func emptied() -> Admissions {
        let empty = Admissions(valueLimit: valueLimit, levels: levels)
        empty.heavy = heavy
        return empty
    }

    /// Forgets what the store said: it may have lost it.
    func forgetMarks() {
        for index in marks.indices { marks[index] = .unknown }
        for shard in late.indices { late[shard] = [:] }
        fullness = [:]
        widePages = []
    }

    // MARK: What is known

    func state(_ node: UInt32, _ level: Int, chunk: Int64, shard: Shard) -> State {
        guard node != Admissions.none else { return .onFirstPage }
        let mark = marks[Int(node) * levels + level]
        if Int64(mark.chunk) == chunk { return mark.state }
        // An empty dictionary would hash the key all the same.
        if !late[Int(shard.number)].isEmpty,
            let known = late[Int(shard.number)][Place(number: UInt64(node), level: level, chunk: chunk)]
        {
            return known
        }
        let parent = nodes[Int(node)].parent
        if parent != Admissions.none, state(parent, level, chunk: chunk, shard: shard) == .refused { return .refused }
        // Of a chunk before the newest that it was in, it may be that it was admitted: its children know.
        return !fullness.isEmpty && Int64(mark.chunk) < chunk && fullness[scope(of: node, level, chunk)] != nil
            ? .refused : .unknown
    }

    /// Whether a node is known to be admitted in a chunk of every resolution that has one; all are its newest.
    func isAdmitted(_ node: UInt32, _ chunks: [Int64?]) -> Bool {
        for level in 0..<levels {
            guard let chunk = chunks[level] else { continue }
            let mark = marks[Int(node) * levels + level]
            guard Int64(mark.chunk) == chunk, mark.state != .refused else { return false }
        }
        return true
    }

    /// Whether the store should be asked for a node.
    func mustAsk(_ node: UInt32, _ level: Int, chunk: Int64, shard: Shard, isHeavy: () -> Bool) -> Bool {
        switch state(node, level, chunk: chunk, shard: shard) {
        case .onFirstPage, .onOverflowPage: return false
        case .unknown: return true
        case .refused:
            let parent = nodes[Int(node)].parent
            return parent != Admissions.none && fullness[scope(of: node, level, chunk)] != .forAll
                && state(parent, level, chunk: chunk, shard: shard) != .refused && isHeavy()
        }
    }

    func isWide(subject: UInt32, _ level: Int, chunk: Int64) -> Bool {
        widePages.contains(Place(number: UInt64(subject), level: level, chunk: chunk))
    }

    /// What a node counts among: the values of its dimension, or the dimensions of its subject.
    func scope(of node: UInt32, _ level: Int, _ chunk: Int64) -> Place {
        let own = nodes[Int(node)]
        let number = own.parent == Admissions.none ? UInt64(own.subject) | 1 << 32 : UInt64(own.dimension)
        return Place(number: number, level: level, chunk: chunk)
    }

    // MARK: What the store says

    /// Takes the answer for a node.
    func take(
        _ verdict: AdmissionAsk.Verdict, _ item: AdmissionAsk.Item, _ level: Int, chunk: Int64, shard: Shard
    ) {
        let node = item.node
        switch verdict {
        case .wide: insert(wide: Place(number: UInt64(nodes[Int(node)].subject), level: level, chunk: chunk))
        case .admitted, .unreadable: set(.onFirstPage, node, level, chunk, shard)
        case .admittedBeyond: set(.onOverflowPage, node, level, chunk, shard)
        case .refused:
            let parent = nodes[Int(node)].parent
            // The child of a refused node needs no mark, and says nothing of its dimension.
            if parent != Admissions.none, state(parent, level, chunk: chunk, shard: shard) == .refused { return }
            set(.refused, node, level, chunk, shard)
            if fullness.count >= Admissions.chunkLimit { fullness = [:] }
            let isLast = item.isHeavy || parent == Admissions.none
            fullness[scope(of: node, level, chunk)] = isLast ? .forAll : .forOrdinary
        }
    }

    private func insert(wide page: Place) {
        if widePages.count >= Admissions.chunkLimit { widePages = [] }
        widePages.insert(page)
    }

    private func set(_ state: State, _ node: UInt32, _ level: Int, _ chunk: Int64, _ shard: Shard) {
        let index = Int(node) * levels + level
        let mark = marks[index]
        func keep(_ state: State, chunk: Int64) {
            late[Int(shard.number)][Place(number: UInt64(node), level: level, chunk: chunk)] = state
        }
        guard chunk >= Int64(mark.chunk) else { return keep(state, chunk: chunk) }
        // Cells of both chunks may wait for a number.
        if mark.state != .unknown, chunk > Int64(mark.chunk) { keep(mark.state, chunk: Int64(mark.chunk)) }
        marks[index] = Mark(chunk: Int32(truncatingIfNeeded: chunk), state: state)
    }

    /// Forgets what is known of older chunks in a shard whose cells have their numbers.
    func numbered(_ shard: Shard) { late[Int(shard.number)] = [:] }

    // MARK: Heavy values

    func isHeavy(subject: Digest, dimension: Digest, value: Digest) -> Bool {
        heavy[HeavyKey(subject: subject, dimension: dimension.high)]?.isHeavy(value.high, parts: valueLimit) ?? false
    }

    /// Counts what a dimension and its refused values gathered.
    func count(
        subject: Digest, dimension: Digest, total: Double, refused: [(value: Digest, weight: Double)], nowSeconds: Int64
    ) {
        let key = HeavyKey(subject: subject, dimension: dimension.high)
        if heavy[key] == nil {
            guard !refused.isEmpty else { return }
            if heavy.count >= Admissions.heavyDimensions { dropIdle(nowSeconds) }
            guard heavy.count < Admissions.heavyDimensions else { return }
            let (counters, isHuge) = valueLimit.multipliedReportingOverflow(by: 2)
            heavy[key] = HeavyValues(
                limit: isHuge ? Admissions.heavyCounters : min(counters, Admissions.heavyCounters),
                nowSeconds: nowSeconds)
        }
        heavy[key]?.age(nowSeconds: nowSeconds)
        heavy[key]?.count(total)
        for (value, weight) in refused { heavy[key]?.add(weight, to: value.high) }
    }

    private func dropIdle(_ nowSeconds: Int64) {
        heavy = heavy.filter { !$0.value.isIdle(nowSeconds: nowSeconds) }
    }
}
