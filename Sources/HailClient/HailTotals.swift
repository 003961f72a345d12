internal import HailCore

/// What was counted over whole periods.
public struct HailTotals: Hashable, Sendable {
    /// One number of the answer.
    public struct Total: Hashable, Sendable {
        /// As it was asked for: `1d:1mo`.
        public let period: String
        /// The parts of the path; none is the overall number.
        public let dimension: [String]
        /// As it was asked for: `revenue/hits`.
        public let metric: String
        /// What was counted; of a gauge what it was set to last.
        public let value: Double
    }

    /// In the order in which they were asked for: by period, then dimension, then metric.
    public let all: [Total]
    /// By period: the Unix seconds before which nothing is kept, where the period reaches back beyond that.
    public let truncatedBefore: [String: Int64]

    /// One number; nil where it was not asked for.
    ///
    /// - Parameters:
    ///   - metric: As it was asked for.
    ///   - dimension: The parts of its path.
    ///   - period: Where several were asked for; else the first one.
    public subscript(metric: String, dimension: String..., period period: String? = nil) -> Double? {
        let metric = Name(metric)
        let path = Name.path(dimension)
        return all.first {
            Name($0.metric) == metric && Name.path($0.dimension) == path && $0.period == period ?? $0.period
        }?.value
    }

    init(_ answer: JSONValue) throws(HailError) {
        var all: [Total] = []
        var truncatedBefore: [String: Int64] = [:]
        for period in try answer.members() {
            if period.name == "truncated_before" {
                for member in try period.value.members() { truncatedBefore[member.name] = member.value.whole }
                continue
            }
            for dimension in try period.value.members() {
                let path = [String](answerKey: dimension.name)
                for metric in try dimension.value.members() {
                    guard let value = metric.value.number else { throw .badAnswer("a total is no number") }
                    all.append(Total(period: period.name, dimension: path, metric: metric.name, value: value))
                }
            }
        }
        self.all = all
        self.truncatedBefore = truncatedBefore
    }
}
