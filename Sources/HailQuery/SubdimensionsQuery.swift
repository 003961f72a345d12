package import HailCore

/// `/subdimensions`: the known children of dimensions, or all their descendants, each after its parent.
package struct SubdimensionsQuery: StoreQuery {
    private let subjectList: PathList
    private let dimensions: PathList
    private let isRecursive: Bool
    private let plans: [NamesPlan]
    package let form: AnswerForm

    /// Reads the parameters `pk`, `dimensions`, `recursive` and `format`.
    ///
    /// - Throws: whatever is wrong with a parameter.
    package init(parameters: [String: JSONValue], digester: Digester) throws(QueryError) {
        subjectList = try PathList(parameters["pk"], parameter: "pk", depth: Limits.subjectParts)
        dimensions = try PathList(parameters["dimensions"], parameter: "dimensions", depth: Limits.pathDepth)
        isRecursive = try PlotOptions.flag("recursive", parameters)
        form = try AnswerForm(parameters)
        plans = try NamesPlan.everKnown(of: subjectList, digester: digester)
    }

    package var subjects: [[String]] { subjectList.paths }

    package var commands: [[[UInt8]]] { plans.flatMap(\.commands) }

    /// A list of dimensions, written as in other answers; by subject where several were asked for.
    package func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        let found = try NamesPlan.names(of: plans, in: replies).map { names in
            let children = names.children
            var seen: Set<[Name]> = []
            return dimensions.paths.flatMap { descendants(of: $0, children) }
                .filter { seen.insert(Name.path($0)).inserted }
        }
        guard form == .nested else { return try rows(found) }
        return subjectList.answer(found.map { .array($0.map { .string(DimensionKey.text($0)) }) })
    }

    private func rows(_ found: [[[String]]]) throws(QueryError) -> JSONValue {
        let hasSubjects = found.count > 1
        var writer = try RowWriter(
            form, columns: ["dimension"] + (hasSubjects ? ["subject"] : []), paths: Array(found.joined()),
            rowCount: found.reduce(0) { $0 + $1.count })
        for (subject, paths) in zip(subjects, found) {
            for path in paths {
                try writer.add(
                    [.text(DimensionKey.text(path))] + (hasSubjects ? [.text(DimensionKey.text(subject))] : []),
                    path: path)
            }
        }
        return writer.finished()
    }

    private func descendants(of path: [String], _ children: [[Name]: [[String]]]) -> [[String]] {
        (children[Name.path(path)] ?? []).flatMap { [$0] + (isRecursive ? descendants(of: $0, children) : []) }
    }
}
