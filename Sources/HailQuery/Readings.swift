package import HailCore

/// The cells that a plan found, added up over the places each may lie in.
package struct Readings: Sendable {
    private struct Address: Hashable {
        let cell: Int
        let resolution: Resolution
    }

    private let metricCount: Int
    private var amounts: [Address: [Int64: Amount]] = [:]
    private var knownMetrics: Set<Int> = []

    init(metricCount: Int) { self.metricCount = metricCount }

    mutating func add(_ amount: Amount, cell: Int, resolution: Resolution, bucket: Int64) {
        amounts[Address(cell: cell, resolution: resolution), default: [:]][bucket, default: .zero] += amount
        if metricCount > 0 { knownMetrics.insert(cell % metricCount) }
    }

    mutating func markKnown(metric: Int) { knownMetrics.insert(metric) }

    /// Whether any cell or name of a metric was found for the subject.
    package func knows(metric: Int) -> Bool { knownMetrics.contains(metric) }

    /// The sums over the spans of a coverage, over several groups; nil where no group has a cell.
    package func amounts(groups: [Int], metric: Int, in coverage: Coverage) -> [Amount?] {
        var sums = [Amount?](repeating: nil, count: coverage.spans.count)
        for group in groups {
            let address = Address(cell: group * metricCount + metric, resolution: coverage.resolution)
            for (bucket, amount) in amounts[address] ?? [:] {
                guard let index = coverage.spanIndex(ofBucket: bucket) else { continue }
                sums[index] = (sums[index] ?? .zero) + amount
            }
        }
        return sums
    }

    static func misshapen() -> QueryError {
        QueryError(.storeUnreadable, "", "The store answered a read with another number of fields than was asked.")
    }
}
