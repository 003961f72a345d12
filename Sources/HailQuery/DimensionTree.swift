import HailCore

/// The dimensions a call asks for, and the children of them that are known.
struct DimensionTree: Sendable {
    /// One series of an answer: a path, and the groups whose sum it is.
    struct Selection: Sendable {
        let path: [String]
        /// Indices into `paths`.
        let groups: [Int]
    }

    /// Every path, each once: first those asked for.
    private(set) var paths: [[String]] = []
    private let askedCount: Int
    /// The children of each path, as indices; empty beyond the depth.
    private var childrenOf: [[Int]]

    init(asked: [[String]], children: [[Name]: [[String]]] = [:], depth: Int = 0) {
        paths = asked
        askedCount = asked.count
        childrenOf = asked.map { _ in [] }
        var seen = Set(asked.map(Name.path))
        var level = 0..<askedCount
        for _ in 0..<depth {
            let next = paths.count
            for parent in level {
                for child in children[Name.path(paths[parent])] ?? [] where seen.insert(Name.path(child)).inserted {
                    childrenOf[parent].append(paths.count)
                    paths.append(child)
                    childrenOf.append([])
                }
            }
            level = next..<paths.count
        }
    }

    var asked: [Selection] { (0..<askedCount).map { Selection(path: paths[$0], groups: [$0]) } }

    var children: [Selection] { (askedCount..<paths.count).map { Selection(path: paths[$0], groups: [$0]) } }

    /// The children, where those whose weight is below a share of their siblings' sum are one series `__other__`
    /// under their parent, without children of their own.
    func folded(threshold: Double, weight: (Int) -> Double) -> [Selection] {
        var selections: [Selection] = []
        var level = Array(0..<askedCount)
        while !level.isEmpty {
            var next: [Int] = []
            for parent in level {
                let weights = childrenOf[parent].map { ($0, weight($0)) }
                let least = weights.reduce(0) { $0 + $1.1 } * threshold
                let isOther = { paths[$0].last == Reserved.other }
                let small = weights.filter { $0.1 < least && !isOther($0.0) }.map(\.0)
                let other = weights.map(\.0).filter(isOther)
                let kept = weights.map(\.0).filter { !small.contains($0) && !isOther($0) }
                if !(small + other).isEmpty {
                    selections.append(Selection(path: paths[parent] + [Reserved.other], groups: small + other))
                }
                selections += kept.map { Selection(path: paths[$0], groups: [$0]) }
                next += kept
            }
            level = next
        }
        return selections
    }
}
