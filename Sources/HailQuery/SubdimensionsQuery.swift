package import HailCore

/// `/subdimensions`: the known children of dimensions, or all their descendants, each after its parent.
package struct SubdimensionsQuery: StoreQuery {
    private let subjectList: PathList
    private let dimensions: PathList
    private let isRecursive: Bool
    private let plans: [NamesPlan]

    /// Reads the parameters `pk`, `dimensions` and `recursive`.
    ///
    /// - Throws: whatever is wrong with a parameter.
    package init(parameters: [String: JSONValue], digester: Digester) throws(QueryError) {
        subjectList = try PathList(parameters["pk"], parameter: "pk", depth: Limits.subjectParts)
        dimensions = try PathList(parameters["dimensions"], parameter: "dimensions", depth: Limits.pathDepth)
        isRecursive = try PlotOptions.flag("recursive", parameters)
        plans = try NamesPlan.everKnown(of: subjectList, digester: digester)
    }

    package var subjects: [[String]] { subjectList.paths }

    package var commands: [[[UInt8]]] { plans.flatMap(\.commands) }

    /// A list of dimensions, written as in other answers; by subject where several were asked for.
    package func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        var answers: [JSONValue] = []
        for names in try NamesPlan.names(of: plans, in: replies) {
            let children = names.children
            var found: [[String]] = []
            var seen: Set<[Name]> = []
            for dimension in dimensions.paths {
                for path in descendants(of: dimension, children) where seen.insert(Name.path(path)).inserted {
                    found.append(path)
                }
            }
            answers.append(.array(found.map { .string(DimensionKey.text($0)) }))
        }
        return subjectList.answer(answers)
    }

    private func descendants(of path: [String], _ children: [[Name]: [[String]]]) -> [[String]] {
        (children[Name.path(path)] ?? []).flatMap { [$0] + (isRecursive ? descendants(of: $0, children) : []) }
    }
}
