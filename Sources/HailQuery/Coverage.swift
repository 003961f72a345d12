package import HailCore

/// Which cells answer a period: one kept resolution, and the spans it is read in.
package struct Coverage: Hashable, Sendable {
    package let period: Period
    package let resolution: Resolution
    /// Oldest first, each beginning where the one before ends; empty where nothing of the period is kept.
    package let spans: [TimeSpan]
    /// Unix seconds before which the period reaches but nothing is kept; nil where all of it is.
    package let truncatedBefore: Int64?
    /// For the months of `_days_in_month`.
    package let zone: ZoneRules

    /// Points below which a range of instants is answered with the finest resolution that keeps it.
    private static let rangePoints: Int64 = 1_500

    /// Chooses the coarsest kept resolution whose buckets the period's boundaries fall between and that still keeps
    /// its start; where none keeps it, the one that reaches back furthest, and the spans are cut where it begins.
    ///
    /// - Parameters:
    ///   - sketches: the finite resolutions to choose among, where what is asked needs what only they keep.
    ///   - cutsForeignDays: answer what is kept of the days of a zone that is not kept, instead of refusing.
    /// - Throws: `bad_period` where no resolution divides the width; `zone_not_kept` where one does in UTC but not in
    ///   the zone as far back as the period reaches; `no_sketch` where one of either does but not among `sketches`;
    ///   `too_costly`.
    package init(
        _ period: Period, now: Int64, zone: ZoneRules, ladder: Ladder, sketches: [Resolution]? = nil,
        cutsForeignDays: Bool = false, parameter: String = "period"
    ) throws(QueryError) {
        self.period = period
        self.zone = zone
        let windows = try period.windows(now: now, zone: zone, parameter: parameter)
        let finite = ladder.resolutions.filter { !$0.isAllTime && sketches?.contains($0) != false }
        if case .all = period.shape {
            (resolution, spans, truncatedBefore) = (.allTime, windows, nil)
            return
        }
        let chosen: Resolution?
        if case .range(let from, let until) = period.shape {
            chosen = Coverage.resolution(from: from, until: until, now: now, finite)
        } else {
            chosen = Coverage.coarsest(for: windows, now: now, finite)
        }
        let firstKept = chosen.map { (now - $0.keptSeconds).floorDivided(by: $0.widthSeconds) * $0.widthSeconds }
        var start = windows.first?.startSeconds ?? now
        var wanted = windows
        if case .range(let from, let until) = period.shape, let chosen, let firstKept {
            start = chosen.startSeconds(ofBucket: chosen.bucket(at: from))
            wanted = try Coverage.buckets(from: max(from, firstKept), until: until, chosen, parameter)
        }
        if let chosen, let firstKept, start >= firstKept {
            (resolution, spans, truncatedBefore) = (chosen, wanted, nil)
            return
        }
        if !zone.isUTC, !cutsForeignDays || chosen == nil,
            let inUTC = try? Coverage(period, now: now, zone: .utc, ladder: ladder, sketches: sketches),
            inUTC.truncatedBefore == nil
        {
            try Coverage.refuseWithoutSketch(period, now, zone, ladder, sketches, cutsForeignDays, parameter)
            throw QueryError(
                .zoneNotKept, "tz",
                "\(quoted(period.text)) in \(quoted(zone.name)) reaches further back than cells fine enough for the "
                    + "days of that zone are kept (\(ladder.text)); ask in UTC, or shorten the period.")
        }
        guard let chosen, let firstKept else {
            try Coverage.refuseWithoutSketch(period, now, zone, ladder, sketches, cutsForeignDays, parameter)
            throw QueryError(
                .badPeriod, parameter,
                "No kept resolution divides the points of \(quoted(period.text)); kept are \(ladder.text), so a width "
                    + "has to be a multiple of \(ladder.finest.widthSeconds)s.")
        }
        resolution = chosen
        truncatedBefore = firstKept
        spans = wanted.filter { $0.endSeconds > firstKept }.map {
            TimeSpan(startSeconds: max($0.startSeconds, firstKept), endSeconds: $0.endSeconds)
        }
    }

    /// Refuses a period that could be answered if other resolutions kept sketches.
    ///
    /// - Throws: `no_sketch`, or what the period is refused for with all resolutions.
    private static func refuseWithoutSketch(
        _ period: Period, _ now: Int64, _ zone: ZoneRules, _ ladder: Ladder, _ sketches: [Resolution]?,
        _ cutsForeignDays: Bool, _ parameter: String
    ) throws(QueryError) {
        guard let sketches else { return }
        _ = try Coverage(
            period, now: now, zone: zone, ladder: ladder, cutsForeignDays: cutsForeignDays, parameter: parameter)
        let kept = sketches.map { "\($0.widthSeconds)s:\($0.keptSeconds)s" }.joined(separator: ",")
        throw QueryError(
            .noSketch, parameter,
            "\(quoted(period.text)) cannot be read from cells that keep percentiles and distinct members; they are "
                + "kept for \(kept.isEmpty ? "" : kept + " and ")the all-time total, which is the period all.")
    }

    private static func coarsest(for spans: [TimeSpan], now: Int64, _ finite: [Resolution]) -> Resolution? {
        guard let first = spans.first else { return finite.last }
        let aligned = finite.filter { resolution in
            first.startSeconds % resolution.widthSeconds == 0
                && spans.allSatisfy { $0.endSeconds % resolution.widthSeconds == 0 }
        }
        return aligned.last { $0.keeps(first.startSeconds, now: now) }
            ?? aligned.max { $0.keptSeconds < $1.keptSeconds }
    }

    /// The finest resolution that keeps the start of a range and needs few points for it.
    private static func resolution(from: Int64, until: Int64, now: Int64, _ finite: [Resolution]) -> Resolution? {
        finite.first { $0.keeps(from, now: now) && (until - from) / $0.widthSeconds < rangePoints }
            ?? finite.last { $0.keeps(from, now: now) }
            ?? finite.max { $0.keptSeconds < $1.keptSeconds }
    }

    /// The buckets that a range of instants touches.
    private static func buckets(
        from: Int64, until: Int64, _ resolution: Resolution, _ parameter: String
    ) throws(QueryError) -> [TimeSpan] {
        guard from < until else { return [] }
        let first = resolution.bucket(at: from)
        let last = resolution.bucket(at: until - 1)
        guard last - first < Period.mostPoints else {
            throw QueryError(
                .tooCostly, parameter,
                "\(from)-\(until) has \(last - first + 1) points of \(resolution.widthSeconds)s and "
                    + "\(Period.mostPoints) are allowed; shorten the period.")
        }
        return (first...last).map {
            TimeSpan(
                startSeconds: resolution.startSeconds(ofBucket: $0),
                endSeconds: resolution.startSeconds(ofBucket: $0 + 1))
        }
    }

    /// The numbers of the buckets its spans are made of; empty where it has none.
    package var buckets: Range<Int64> {
        guard let first = spans.first, let last = spans.last else { return 0..<0 }
        if resolution.isAllTime { return 0..<1 }
        return resolution.bucket(at: first.startSeconds)..<resolution.bucket(at: last.endSeconds - 1) + 1
    }

    /// The chunks its buckets lie in; empty where it has none.
    package var chunks: Range<Int64> {
        let buckets = buckets
        guard !buckets.isEmpty else { return 0..<0 }
        return resolution.chunk(ofBucket: buckets.lowerBound)..<resolution.chunk(ofBucket: buckets.upperBound - 1) + 1
    }

    /// The index of the span a bucket lies in, or nil.
    ///
    /// - Complexity: logarithmic in the number of spans.
    package func spanIndex(ofBucket bucket: Int64) -> Int? {
        if resolution.isAllTime { return spans.isEmpty ? nil : 0 }
        let start = resolution.startSeconds(ofBucket: bucket)
        var low = 0
        var high = spans.count
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].endSeconds <= start { low = middle + 1 } else { high = middle }
        }
        return low < spans.count && spans[low].startSeconds <= start ? low : nil
    }
}
