package import HailCore

/// A shorter name under which the events of a series count that has no place of its own any more.
package struct FoldedName: Equatable, Sendable {
    /// How much of the name is given up; each stage has a reserve of places of its own.
    package enum Stage: Int, CaseIterable, Sendable {
        /// The tags.
        case tags
        /// And the subject but its first part, which `__other__` follows.
        case subject
        /// And the metrics but `hits`: their values add up under `__other__`.
        case metrics
        /// The tags and the whole subject: `__other__` is in its place.
        case firstPart
        /// Everything but the kind and `hits`. There are so few of these names that they always have a place.
        case all
    }

    package let stage: Stage
    package let name: SeriesName

    /// The names to try, in order; the last one is of the stage `all`.
    ///
    /// The overall subject `_` stays what it is: only its metrics can be too many.
    package static func stages(of name: SeriesName) -> [FoldedName] {
        var untagged = name
        untagged.paths = []
        untagged.isExact = false
        let hits = name.kind == .counter ? name.metrics.filter { $0 == SeriesName.hits }.prefix(1) : []
        let metrics = (name.metrics.count > hits.count ? [Reserved.other] : []) + hits
        func folded(_ stage: Stage, _ subject: [String], _ metrics: [String]) -> FoldedName {
            var short = untagged
            short.subject = subject
            short.metrics = metrics
            return FoldedName(stage: stage, name: short)
        }
        guard let first = name.subject.first else {
            return [FoldedName(stage: .tags, name: untagged), folded(.all, [], metrics)]
        }
        return [
            FoldedName(stage: .tags, name: untagged),
            folded(.subject, [first, Reserved.other], name.metrics),
            folded(.metrics, [first, Reserved.other], metrics),
            folded(.firstPart, [Reserved.other], name.metrics), folded(.all, [Reserved.other], metrics),
        ]
    }

    /// The values of a counter's event by the metrics of this name, in millionths.
    package func values(_ values: some Collection<Int64>, of full: SeriesName) -> [Int128] {
        var sums = [Int128](repeating: 0, count: name.metrics.count)
        for (position, value) in values.enumerated() {
            let metric = full.metrics[position % full.metrics.count]
            sums[name.metrics.firstIndex(of: metric) ?? 0] += Int128(value)
        }
        return sums
    }
}
