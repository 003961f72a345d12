import HailCore

/// The rounds of a question about dimensions and their children: the names of the children, where there are to be any,
/// then the cells.
struct TreeRounds: Sendable {
    private enum Stage {
        case names(NamesRound)
        case cells(CellRound, [DimensionTree])
    }

    /// What was read of one subject.
    struct Result: Sendable {
        let tree: DimensionTree
        let cells: CellRound.Result
    }

    private let question: Question
    private let expressions: [MetricExpression]
    /// Levels of children.
    private let depth: Int
    private var stage: Stage

    /// - Parameter expressions: what is worked out at every dimension.
    /// - Throws: `too_costly`, `no_sketch`.
    init(_ question: Question, expressions: [MetricExpression], depth: Int) throws(QueryError) {
        self.question = question
        self.expressions = expressions
        self.depth = depth
        if depth > 0 {
            stage = .names(try question.namesRound(expressions: expressions))
        } else {
            stage = .cells(
                try question.round(groups: question.allDimensions, expressions: expressions),
                question.allDimensions.map { DimensionTree(asked: $0) })
        }
    }

    var commands: [[[UInt8]]] {
        switch stage {
        case .names(let round): round.commands
        case .cells(let round, _): round.commands
        }
    }

    /// Takes the replies of a round; nil where there is another.
    ///
    /// - Throws: `too_costly`, `store_unreadable`.
    mutating func take(_ replies: [ReadReply]) throws(QueryError) -> [Result]? {
        switch stage {
        case .names(let round):
            let results = try round.results(of: replies[...])
            let trees = results.map {
                DimensionTree(asked: question.dimensions.paths, children: $0.names.children, depth: depth)
            }
            stage = try cells(trees, kinds: results.map(\.kinds))
            return nil
        case .cells(let round, let trees):
            switch try round.outcome(of: replies[...]) {
            case .again(let kinds):
                stage = try cells(trees, kinds: kinds)
                return nil
            case .done(let results):
                return zip(trees, results).map { Result(tree: $0, cells: $1) }
            }
        }
    }

    private func cells(_ trees: [DimensionTree], kinds: [[Name: Kind]]) throws(QueryError) -> Stage {
        .cells(try question.round(groups: trees.map(\.paths), expressions: expressions, kinds: kinds), trees)
    }
}
