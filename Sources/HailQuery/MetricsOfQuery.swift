package import HailCore

/// `/metrics_of`: the metrics a subject ever had, each with the kinds it has: `{"hits":["counter"]}`.
package struct MetricsOfQuery: StoreQuery {
    private let subjectList: PathList
    private let plans: [NamesPlan]

    /// Reads the parameter `pk`.
    ///
    /// - Throws: `bad_path`.
    package init(parameters: [String: JSONValue], digester: Digester) throws(QueryError) {
        subjectList = try PathList(parameters["pk"], parameter: "pk", depth: Limits.subjectParts)
        plans = try NamesPlan.everKnown(of: subjectList, digester: digester)
    }

    package var subjects: [[String]] { subjectList.paths }

    package var commands: [[[UInt8]]] { plans.flatMap(\.commands) }

    package func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        subjectList.answer(
            try NamesPlan.names(of: plans, in: replies).map { names in
                let kinds = Dictionary(grouping: names.metrics, by: \.name)
                return .object(
                    kinds.sorted { $0.key < $1.key }.map { name, metrics in
                        let kinds = metrics.map(\.kind).sorted { $0.rawValue < $1.rawValue }
                        return JSONValue.Member(name.text, .array(kinds.map { .string($0.name) }))
                    })
            })
    }
}
