package import HailCore

/// What a query reads of one metric of one kind.
package struct MetricSource: Hashable, Sendable {
    package let metric: KnownNames.Metric
    /// Of a timer, the numbers that are read; its count is always among them.
    package private(set) var components: Set<TimerComponent>
    /// Of a timer, whether its sketches are read.
    package private(set) var readsSketch: Bool

    package init(_ metric: KnownNames.Metric, components: Set<TimerComponent> = [], readsSketch: Bool = false) {
        self.metric = metric
        self.components = components
        self.readsSketch = readsSketch
        // What share of its siblings a timer is, and whether anything was timed, is told by its count.
        if metric.kind == .timer { self.components.formUnion([.count, .countMillionths]) }
    }

    /// What a term reads where its name is of a kind.
    init(_ term: MetricTerm, as kind: Kind) {
        var components: Set<TimerComponent> = []
        var readsSketch = false
        switch term.timerStatistic {
        case .count: break
        case .sum, .mean: components = [.sum, .sumMillionths]
        case .min: components = [.least]
        case .max: components = [.greatest]
        case .stddev: components = [.sum, .sumMillionths, .squares]
        case .percentile:
            components = [.least, .greatest]
            readsSketch = true
        }
        let isTimer = kind == .timer
        self.init(
            KnownNames.Metric(name: term.name, kind: kind), components: isTimer ? components : [],
            readsSketch: isTimer && readsSketch)
    }

    /// The sources that terms read, one a metric and kind, each with all that any term wants of it.
    ///
    /// - Parameter kind: of each term; nil where it reads nothing.
    static func list(of terms: [MetricTerm], kind: (MetricTerm) -> Kind?) -> [MetricSource] {
        var sources: [MetricSource] = []
        for term in terms {
            guard let kind = kind(term) else { continue }
            let source = MetricSource(term, as: kind)
            if let index = sources.firstIndex(where: { $0.metric == source.metric }) {
                sources[index].components.formUnion(source.components)
                sources[index].readsSketch = sources[index].readsSketch || source.readsSketch
            } else {
                sources.append(source)
            }
        }
        return sources
    }

    /// Whether what it reads includes what another does.
    func covers(_ other: MetricSource) -> Bool {
        metric == other.metric && components.isSuperset(of: other.components) && (readsSketch || !other.readsSketch)
    }

    /// What one bucket of it costs, in fields of a hash as a counter has them.
    var weight: Int {
        switch metric.kind {
        case .counter, .gauge: 1
        case .timer: components.count + (readsSketch ? 200 : 0)
        // Four HyperLogLogs are 48 KiB.
        case .set: 500
        }
    }
}
