package import HailCore

/// Which cells answer a period: the spans of its points, and the buckets that each is made of.
package struct Coverage: Hashable, Sendable {
    /// Buckets of one resolution, one after the other.
    package struct Stretch: Hashable, Sendable {
        package let resolution: Resolution
        package fileprivate(set) var buckets: Range<Int64>
    }

    package let period: Period
    /// Oldest first, each beginning where the one before ends; empty where nothing of the period is kept.
    package let spans: [TimeSpan]
    /// Together they have what happened in the spans, each event once.
    package let stretches: [Stretch]
    /// Unix seconds before which the period reaches but nothing is kept; nil where all of it is.
    package private(set) var truncatedBefore: Int64?
    /// For the months of `_days_in_month`.
    package let zone: ZoneRules

    /// Points below which a range of instants is answered with the finest resolution that keeps it.
    private static let rangePoints: Int64 = 1_500

    /// Chooses, for every point, the coarsest resolution that its boundaries fall between the buckets of, and that has
    /// and keeps all of it.
    ///
    /// From the newest point on, as far back as there is one. Where the next point lies there in part, that part is the
    /// oldest point.
    ///
    /// - Parameters:
    ///   - withSketches: only from resolutions that keep sketches and members.
    ///   - cutsForeignDays: answer what is kept of the days of a zone that is not kept, instead of refusing.
    /// - Throws: `bad_period` where no resolution divides the width; `zone_not_kept` where one does in UTC but not in
    ///   the zone as far back as the period reaches; `no_sketch` where one of either does but not of those with
    ///   sketches; `too_costly`.
    package init(
        _ period: Period, now: Int64, zone: ZoneRules, history: LadderHistory, withSketches: Bool = false,
        cutsForeignDays: Bool = false, parameter: String = "period"
    ) throws(QueryError) {
        self.period = period
        self.zone = zone
        if case .all = period.shape {
            spans = try period.windows(now: now, zone: zone, parameter: parameter)
            stretches = [Stretch(resolution: .allTime, buckets: 0..<1)]
            truncatedBefore = nil
            return
        }
        let choice = Choice(history: history, shelves: history.shelves(withSketches: withSketches), now: now)
        let windows: [TimeSpan]
        if case .range(let from, let until) = period.shape {
            windows = try choice.windows(from: from, until: until, parameter)
        } else {
            windows = try period.windows(now: now, zone: zone, parameter: parameter)
        }
        let found = choice.found(in: windows)
        func refuseWithoutSketch() throws(QueryError) {
            guard withSketches else { return }
            _ = try Coverage(
                period, now: now, zone: zone, history: history, cutsForeignDays: cutsForeignDays, parameter: parameter)
            throw Coverage.noSketch(period, history, parameter)
        }
        let isDivisible = !found.parts.isEmpty || choice.divides(anyOf: windows)
        if found.isCut, !zone.isUTC, !history.keepsDays(of: zone), !cutsForeignDays || !isDivisible,
            let inUTC = try? Coverage(period, now: now, zone: .utc, history: history, withSketches: withSketches),
            inUTC.truncatedBefore == nil
        {
            try refuseWithoutSketch()
            throw QueryError(
                .zoneNotKept, "tz",
                "\(quoted(period.text)) in \(quoted(zone.name)) reaches further back than cells fine enough for the "
                    + "days of that zone are kept (\(history.ladder.text)); ask in UTC, shorten the period, or have "
                    + "--zones keep them.")
        }
        guard isDivisible else {
            try refuseWithoutSketch()
            throw QueryError(
                .badPeriod, parameter,
                "No kept resolution divides the points of \(quoted(period.text)); kept are \(history.ladder.text), so "
                    + "a width has to be a multiple of \(history.ladder.finest.widthSeconds)s.")
        }
        spans = found.parts.map(\.span)
        stretches = Coverage.stretches(of: found.parts)
        truncatedBefore = found.isCut ? spans.first?.startSeconds ?? choice.firstKept(dividing: windows) : nil
    }

    private static func noSketch(_ period: Period, _ history: LadderHistory, _ parameter: String) -> QueryError {
        let kept = history.sketches.map { "\($0.widthSeconds)s:\($0.keptSeconds)s" }.joined(separator: ",")
        return QueryError(
            .noSketch, parameter,
            "\(quoted(period.text)) cannot be read from cells that keep percentiles and distinct members; they are "
                + "kept for \(kept.isEmpty ? "" : kept + " and ")the all-time total, which is the period all.")
    }

    private static func stretches(of parts: [Choice.Part]) -> [Stretch] {
        var stretches: [Stretch] = []
        var latest: [Resolution: Int] = [:]
        for part in parts {
            for resolution in part.resolutions {
                let buckets =
                    resolution.bucket(at: part.span.startSeconds)..<resolution.bucket(at: part.span.endSeconds)
                if let open = latest[resolution], stretches[open].buckets.upperBound == buckets.lowerBound {
                    stretches[open].buckets = stretches[open].buckets.lowerBound..<buckets.upperBound
                } else {
                    latest[resolution] = stretches.count
                    stretches.append(Stretch(resolution: resolution, buckets: buckets))
                }
            }
        }
        return stretches
    }

    /// Finds what the points of one period are read from.
    private struct Choice {
        /// A point, and the resolutions whose buckets have it.
        struct Part {
            let span: TimeSpan
            let resolutions: [Resolution]
        }

        let history: LadderHistory
        let shelves: [LadderHistory.Shelf]
        let now: Int64

        /// What of the windows is kept, in order of time; and whether older ones are not.
        func found(in windows: [TimeSpan]) -> (parts: [Part], isCut: Bool) {
            var parts: [Part] = []
            var isCut = false
            for window in windows.reversed() {
                guard let resolutions = history.resolutions(of: window, among: shelves, now: now) else {
                    isCut = true
                    if let part = rest(of: window) { parts.append(part) }
                    break
                }
                parts.append(Part(span: window, resolutions: resolutions))
            }
            return (parts.reversed(), isCut)
        }

        /// As much of the end of a window as one resolution has.
        private func rest(of window: TimeSpan) -> Part? {
            var longest: Part?
            for shelf in shelves where shelf.resolution.begins(at: window.endSeconds) {
                guard let start = history.reach(of: shelf, before: window.endSeconds, now: now),
                    start > window.startSeconds, start < longest?.span.startSeconds ?? .max
                else { continue }
                longest = Part(
                    span: TimeSpan(startSeconds: start, endSeconds: window.endSeconds), resolutions: [shelf.resolution])
            }
            return longest
        }

        func divides(anyOf windows: [TimeSpan]) -> Bool {
            guard !windows.isEmpty else { return true }
            return windows.contains { window in
                shelves.contains { LadderHistory.divides($0.resolution, window) }
            }
        }

        /// Where what is kept now begins, of resolutions that the windows could be read from.
        func firstKept(dividing windows: [TimeSpan]) -> Int64 {
            let dividing = shelves.filter { shelf in
                windows.last.map { LadderHistory.divides(shelf.resolution, $0) } ?? true
            }
            return dividing.compactMap { history.reach(of: $0, before: now + 1, now: now) }.min() ?? now
        }

        /// The buckets that a range of instants touches: the finest that are kept and are not too many, else the
        /// coarsest; where none reach back so far, those that reach back furthest.
        func windows(from: Int64, until: Int64, _ parameter: String) throws(QueryError) -> [TimeSpan] {
            let plain = shelves.map(\.resolution).filter { $0.zone == nil }
            func points(_ resolution: Resolution) -> Int64 {
                resolution.bucket(at: until - 1) - resolution.bucket(at: from) + 1
            }
            let whole = plain.filter { resolution in
                points(resolution) <= Period.mostPoints
                    && !found(in: buckets(from, until, resolution)).isCut
            }
            if let resolution = whole.last(where: { points($0) <= Coverage.rangePoints }) ?? whole.first {
                return buckets(from, until, resolution)
            }
            var furthest: (start: Int64, resolution: Resolution)?
            for shelf in shelves where shelf.resolution.zone == nil {
                let resolution = shelf.resolution
                let end = resolution.startSeconds(ofBucket: resolution.bucket(at: until - 1) + 1)
                guard let start = history.reach(of: shelf, before: end, now: now), start < furthest?.start ?? .max
                else { continue }
                furthest = (start, resolution)
            }
            guard let (start, resolution) = furthest else {
                // All of it is long gone.
                return plain.first.map { buckets(until - 1, until, $0) } ?? [
                    TimeSpan(startSeconds: from, endSeconds: until)
                ]
            }
            // The bucket before what is kept shows that the range is cut.
            let first = max(from, start - 1)
            let count = resolution.bucket(at: until - 1) - resolution.bucket(at: first) + 1
            guard count <= Period.mostPoints else {
                throw QueryError(
                    .tooCostly, parameter,
                    "\(from)-\(until) has \(count) points of \(resolution.widthSeconds)s and "
                        + "\(Period.mostPoints) are allowed; shorten the period.")
            }
            return buckets(first, until, resolution)
        }

        private func buckets(_ from: Int64, _ until: Int64, _ resolution: Resolution) -> [TimeSpan] {
            (resolution.bucket(at: from)...resolution.bucket(at: until - 1)).map {
                TimeSpan(
                    startSeconds: resolution.startSeconds(ofBucket: $0),
                    endSeconds: resolution.startSeconds(ofBucket: $0 + 1))
            }
        }
    }

    /// The same for what was counted from an instant on, in Unix seconds.
    func counted(from seconds: Int64) -> Coverage {
        guard !isAllTime, let first = spans.first?.startSeconds, first < seconds else { return self }
        var own = self
        own.truncatedBefore = max(truncatedBefore ?? seconds, seconds)
        return own
    }

    /// Whether it is the total of all time.
    package var isAllTime: Bool { stretches.contains(where: \.resolution.isAllTime) }

    /// How many buckets are read.
    package var bucketCount: Int { stretches.reduce(0) { $0 + $1.buckets.count } }

    /// The chunks its buckets lie in, by resolution, each once.
    package var chunks: [(resolution: Resolution, chunks: Range<Int64>)] {
        var found: [(resolution: Resolution, chunks: Range<Int64>)] = []
        var latest: [Resolution: Int] = [:]
        for stretch in stretches {
            let resolution = stretch.resolution
            let first = resolution.chunk(ofBucket: stretch.buckets.lowerBound)
            let chunks = first..<resolution.chunk(ofBucket: stretch.buckets.upperBound - 1) + 1
            if let open = latest[resolution], found[open].chunks.upperBound >= chunks.lowerBound {
                found[open].chunks = found[open].chunks.lowerBound..<chunks.upperBound
            } else {
                latest[resolution] = found.count
                found.append((resolution, chunks))
            }
        }
        return found
    }

    /// The index of the span a bucket lies in, or nil.
    ///
    /// - Complexity: logarithmic in the number of spans.
    package func spanIndex(ofBucket bucket: Int64, in resolution: Resolution) -> Int? {
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
