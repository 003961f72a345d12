internal import HailCore

/// What was counted, point by point of a period.
public struct HailPlot: Hashable, Sendable {
    /// The value of one point.
    public struct Point: Hashable, Sendable {
        /// When it begins, in Unix milliseconds.
        public let milliseconds: Int64
        /// What was counted in it.
        public let value: Double
    }

    /// The points of one metric at one dimension.
    public struct Series: Hashable, Sendable {
        /// The parts of the path; none is the overall series.
        public let dimension: [String]
        /// As it was asked for: `revenue/hits`.
        public let metric: String
        /// Oldest first, none left out; the last one is still running.
        public let points: [Point]
        /// Over the whole period: of a ratio that of the sums, of a gauge the last value.
        public let total: Double
    }

    /// In the order in which the agent sorted the dimensions.
    public let series: [Series]
    /// Unix seconds before which nothing is kept, where the period reaches back beyond that.
    public let truncatedBefore: Int64?

    /// One series; nil where there is none.
    ///
    /// - Parameters:
    ///   - metric: As it was asked for.
    ///   - dimension: The parts of its path.
    public subscript(metric: String, dimension: String...) -> Series? {
        let metric = Name(metric)
        let path = Name.path(dimension)
        return series.first { Name($0.metric) == metric && Name.path($0.dimension) == path }
    }

    init(_ answer: JSONValue) throws(HailError) {
        var series: [Series] = []
        var truncatedBefore: Int64?
        for dimension in try answer.members() {
            if dimension.name == "truncated_before", let seconds = dimension.value.whole {
                truncatedBefore = seconds
                continue
            }
            let path = [String](answerKey: dimension.name)
            for metric in try dimension.value.members() {
                series.append(try Series(metric, at: path))
            }
        }
        self.series = series
        self.truncatedBefore = truncatedBefore
    }
}

extension HailPlot.Series {
    /// Reads `[[milliseconds,value],…,["Total",value]]`.
    fileprivate init(_ metric: JSONValue.Member, at path: [String]) throws(HailError) {
        guard case .array(let items) = metric.value else { throw .badAnswer("a series is no list") }
        var points: [HailPlot.Point] = []
        var total: Double?
        for item in items {
            guard case .array(let pair) = item, pair.count == 2, let value = pair[1].number else {
                throw .badAnswer("a point is no pair")
            }
            if let milliseconds = pair[0].whole {
                points.append(HailPlot.Point(milliseconds: milliseconds, value: value))
            } else {
                total = value
            }
        }
        guard let total else { throw .badAnswer("a series has no total") }
        self.init(dimension: path, metric: metric.name, points: points, total: total)
    }
}
