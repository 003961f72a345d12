import HailCore

/// Which descendants of a dimension matter.
///
/// What adds up is important where its total is more than 10 and more than a tenth of its parent's; what is a rate, a
/// ratio or a timer's mean, where more than 5 were counted and it lies more than a tenth away from the rate of the
/// dimension asked for. A parent that its important children explain is not: where what they leave of it (of a rate,
/// of what was counted) is less than a tenth of its own parent's. All by magnitude.
struct Ranking {
    /// A dimension, and what was counted there.
    struct Node {
        let path: [String]
        let series: Series
    }

    /// A descendant; its numbers as JSON has them.
    struct Entry {
        let path: [String]
        /// The total, or the rate.
        let score: String
        /// The total, or the numerator's.
        let value: String
        /// What it is weighed by: `Series.weight`.
        let count: String
        /// Of a total its share of the parent's; of a rate how far it lies from the whole's, as a share of that.
        let difference: String
        /// Of a total what its important children leave of it; of a rate its excess over the whole's.
        let effect: String
        let isImportant: Bool
    }

    /// Important ones first, then by the magnitude of their effect.
    let entries: [Entry]

    private static let leastTotal = 10.0
    private static let leastCount = 5.0
    private static let leastShare = 0.1

    /// - Parameters:
    ///   - nodes: every dimension that was read, the root among them.
    ///   - root: the dimension asked for.
    ///   - levels: of descendants; nil for all.
    init(_ nodes: [Node], below root: [String], levels: Int?, prunesParents: Bool) {
        var indexOfPath: [[Name]: Int] = [:]
        for (index, node) in nodes.enumerated() { indexOfPath[Name.path(node.path)] = index }
        let rootName = Name.path(root)
        let whole = indexOfPath[rootName].map { nodes[$0].series.score } ?? 0
        // Deepest first, so that children are judged before their parents.
        let order = nodes.indices.filter { index in
            let depth = nodes[index].path.count - root.count
            return depth > 0 && depth <= levels ?? depth && Name.path(nodes[index].path).starts(with: rootName)
        }.sorted { nodes[$0].path.count > nodes[$1].path.count }
        /// By parent: what its important descendants explain of it.
        var explained: [Int: Double] = [:]
        var judged: [(entry: Entry, effect: Double)] = []
        for index in order {
            let (path, series) = (nodes[index].path, nodes[index].series)
            let parent = indexOfPath[Name.path(path.dropLast())]
            let parentPart = parent.map { Ranking.part(nodes[$0].series) } ?? 0
            let part = Ranking.part(series)
            let left = part - explained[index, default: 0]
            let difference =
                series.isRate ? Ranking.ratio(series.score - whole, whole) : Ranking.ratio(part, parentPart)
            let effect = series.isRate ? series.excess(over: whole) : left
            var isImportant =
                series.isRate
                ? series.weight > Ranking.leastCount && abs(difference) > Ranking.leastShare
                : abs(part) > Ranking.leastTotal && abs(part) > Ranking.leastShare * abs(parentPart)
            if prunesParents, explained[index, default: 0] != 0, abs(left) < Ranking.leastShare * abs(parentPart) {
                isImportant = false
            }
            if let parent { explained[parent, default: 0] += isImportant ? part : explained[index, default: 0] }
            judged.append(
                (
                    Entry(
                        path: path, score: series.total, value: series.numeratorTotal,
                        count: Quantity(approximately: series.weight).text,
                        difference: Quantity(approximately: difference).text,
                        effect: Quantity(approximately: effect).text, isImportant: isImportant), effect
                ))
        }
        entries = judged.sorted { left, right in
            if left.entry.isImportant != right.entry.isImportant { return left.entry.isImportant }
            if abs(left.effect) != abs(right.effect) { return abs(left.effect) > abs(right.effect) }
            return Name.path(left.entry.path).lexicographicallyPrecedes(Name.path(right.entry.path))
        }.map(\.entry)
    }

    /// What a child takes of its parent: a total itself, of a rate what was counted.
    private static func part(_ series: Series) -> Double { series.isRate ? series.weight : series.score }

    private static func ratio(_ top: Double, _ bottom: Double) -> Double { bottom == 0 ? 0 : top / bottom }
}
