import HailCore

/// A round trip that reads cells: a plan for every subject of a question.
struct CellRound: Sendable {
    /// What is read of one subject.
    struct Part: Sendable {
        let plan: ReadPlan
        let coverages: [Coverage]
        /// The kinds of the metrics that are named without one; nil while what is read has to decide.
        let kinds: [Name: Kind]?
    }

    /// What was read of one subject.
    struct Result: Sendable {
        let coverages: [Coverage]
        let groups: [[String]]
        let readings: Readings
        let kinds: [Name: Kind]

        func series(
            _ expression: MetricExpression, groups: [Int], in coverage: Coverage, isTotal: Bool = false
        ) -> Series {
            Series(
                expression, groups: groups, in: coverage, readings: readings, kinds: kinds, isTotal: isTotal)
        }
    }

    enum Outcome: Sendable {
        case done([Result])
        /// Some metric turned out to be of a kind that was not read: the kinds to read, of each subject.
        case again(kinds: [[Name: Kind]])
    }

    let parts: [Part]
    let terms: [MetricTerm]

    var commands: [[[UInt8]]] { parts.flatMap(\.plan.commands) }

    /// - Throws: `store_unreadable`.
    func outcome(of replies: ArraySlice<ReadReply>) throws(QueryError) -> Outcome {
        var rest = replies
        var results: [Result] = []
        var isComplete = true
        for part in parts {
            let readings = try part.plan.readings(from: rest.prefix(part.plan.commands.count))
            rest = rest.dropFirst(part.plan.commands.count)
            let kinds = part.kinds ?? CellRound.kinds(of: terms, known: readings.known)
            let needed = MetricSource.list(of: terms) { $0.kind(known: kinds) }
            isComplete =
                isComplete && needed.allSatisfy { source in part.plan.sources.contains { $0.covers(source) } }
            results.append(
                Result(coverages: part.coverages, groups: part.plan.groups, readings: readings, kinds: kinds))
        }
        return isComplete ? .done(results) : .again(kinds: results.map(\.kinds))
    }

    /// The kinds that metrics named without one are read as: of those known the counter, else the gauge, the timer,
    /// the set.
    static func kinds(of terms: [MetricTerm], known: Set<KnownNames.Metric>) -> [Name: Kind] {
        var kinds: [Name: Kind] = [:]
        for term in terms where term.isOpen {
            kinds[term.name] = Kind.allCases.first { known.contains(KnownNames.Metric(name: term.name, kind: $0)) }
        }
        return kinds
    }
}
