import HailCore

/// A round trip that finds which groups the subjects of a question have, and which kinds its metrics are of.
struct NamesRound: Sendable {
    /// What is read of one subject.
    struct Part: Sendable {
        let groups: NamesPlan
        let kinds: ReadPlan
    }

    /// What was found of one subject.
    struct Result: Sendable {
        let names: KnownNames
        /// The kinds of the metrics that are named without one.
        let kinds: [Name: Kind]
    }

    let parts: [Part]
    let terms: [MetricTerm]

    var commands: [[[UInt8]]] { parts.flatMap { $0.groups.commands + $0.kinds.commands } }

    /// - Throws: `store_unreadable`.
    func results(of replies: ArraySlice<ReadReply>) throws(QueryError) -> [Result] {
        var rest = replies
        var results: [Result] = []
        for part in parts {
            let names = try part.groups.names(in: rest.prefix(part.groups.commands.count))
            rest = rest.dropFirst(part.groups.commands.count)
            let readings = try part.kinds.readings(from: rest.prefix(part.kinds.commands.count))
            rest = rest.dropFirst(part.kinds.commands.count)
            results.append(
                Result(
                    names: names,
                    kinds: CellRound.kinds(of: terms, known: names.metrics.union(readings.known))))
        }
        return results
    }
}
