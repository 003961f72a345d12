package import HailCore

/// Which resolutions the store keeps, and which it kept before: every migration begins an era.
///
/// An event lies in the resolutions of the era that it was counted in. So what happened in an era is read from those, as
/// long as they are kept.
package struct LadderHistory: Sendable {
    /// What held for a time.
    package struct Era: Sendable {
        /// Unix seconds of its first instant; it ends where the next begins.
        package let fromSeconds: Int64
        package let ladder: Ladder
        /// The finite resolutions in UTC that keep sketches and distinct members; so do the days of zones beside them.
        package let sketches: [Resolution]

        package init(fromSeconds: Int64, ladder: Ladder, sketches: [Resolution]) {
            self.fromSeconds = fromSeconds
            self.ladder = ladder
            self.sketches = sketches
        }

        fileprivate func keepsSketches(_ resolution: Resolution) -> Bool {
            sketches.contains {
                $0.widthSeconds == resolution.widthSeconds && $0.keptSeconds == resolution.keptSeconds
            }
        }
    }

    /// A resolution through all eras.
    struct Shelf: Sendable {
        /// As it was last.
        let resolution: Resolution
        /// How long it is kept, by era; nil where it was none of the era's.
        let keptSeconds: [Int64?]
    }

    /// The present ladder, without what nobody has to know: the days of zones are among its resolutions.
    package let ladder: Ladder
    /// The finite resolutions in UTC that keep sketches and distinct members now.
    package let sketches: [Resolution]
    /// By the dimension that a view is counted as, for those that were not always declared: Unix seconds from which on
    /// it is counted.
    let viewStarts: [Name: Int64]
    /// Unix seconds of the first instant of each era, the first of all long ago.
    let starts: [Int64]
    /// Finite resolutions, the coarsest first.
    private let all: [Shelf]
    private let sketched: [Shelf]

    /// - Parameters:
    ///   - former: in order of time; the first era reaches back as far as anything does.
    ///   - viewStarts: of views that were declared later than what they are read with.
    package init(_ former: [Era] = [], present: Era, viewStarts: [Name: Int64] = [:]) {
        let eras = former + [present]
        self.viewStarts = viewStarts
        ladder = present.ladder
        sketches = present.sketches
        starts = [.min] + eras.dropFirst().map(\.fromSeconds)
        all = LadderHistory.shelves(eras) { _, _ in true }
        sketched = LadderHistory.shelves(eras) { $0.keepsSketches($1) }
    }

    /// The same for all time.
    package init(_ ladder: Ladder, sketches: [Resolution] = []) {
        self.init(present: Era(fromSeconds: .min, ladder: ladder, sketches: sketches.filter { !$0.isAllTime }))
    }

    private static func shelves(_ eras: [Era], _ isWanted: (Era, Resolution) -> Bool) -> [Shelf] {
        var kept: [UInt32: [Int64?]] = [:]
        var latest: [UInt32: Resolution] = [:]
        for (number, era) in eras.enumerated() {
            for resolution in era.ladder.resolutions where !resolution.isAllTime && isWanted(era, resolution) {
                let key = resolution.storedWidth
                kept[key, default: [Int64?](repeating: nil, count: eras.count)][number] = resolution.keptSeconds
                latest[key] = resolution
            }
        }
        return latest.values
            // Of two as wide, days of UTC before those of zones, so that what both cover is read from the same.
            .sorted { (-$0.widthSeconds, $0.storedWidth) < (-$1.widthSeconds, $1.storedWidth) }
            .map { Shelf(resolution: $0, keptSeconds: kept[$0.storedWidth] ?? []) }
    }

    /// - Parameter withSketches: those that keep sketches alone.
    func shelves(withSketches: Bool) -> [Shelf] { withSketches ? sketched : all }

    /// Whether the days of a zone are kept as days now.
    func keepsDays(of zone: ZoneRules) -> Bool {
        zone.isUTC || ladder.resolutions.contains { $0.zone?.agrees(with: zone) ?? false }
    }

    /// The era that an instant lies in.
    func era(at seconds: Int64) -> Int { (starts.lastIndex { $0 <= seconds }) ?? 0 }

    /// Where the first bucket begins of what a shelf still has of an era; nil where it was none of the era's.
    private func firstKept(of shelf: Shelf, in era: Int, now: Int64) -> Int64? {
        guard let kept = shelf.keptSeconds[era] else { return nil }
        let resolution = shelf.resolution
        func first(_ keptSeconds: Int64) -> Int64 {
            resolution.startSeconds(ofBucket: resolution.bucket(at: now - keptSeconds))
        }
        var start = first(kept)
        guard era > 0 else { return start }
        // The chunk in which the era began goes when a former era said.
        let chunk = resolution.chunk(ofBucket: resolution.bucket(at: starts[era]))
        let begin = resolution.startSeconds(ofBucket: chunk * Resolution.bucketsPerChunk)
        let end = resolution.startSeconds(ofBucket: (chunk + 1) * Resolution.bucketsPerChunk)
        for former in 0..<era where starts[former + 1] > begin {
            guard let before = shelf.keptSeconds[former], before < kept else { continue }
            start = max(start, min(first(before), end))
        }
        return start
    }

    /// The beginning of the first bucket from which on a shelf has everything up to an instant.
    ///
    /// - Returns: nil where it does not have what comes just before that instant.
    func reach(of shelf: Shelf, before end: Int64, now: Int64) -> Int64? {
        var position = end
        for era in (0...era(at: end - 1)).reversed() {
            guard let first = firstKept(of: shelf, in: era, now: now) else { break }
            guard first <= starts[era] else { return first < end ? first : nil }
            position = starts[era]
        }
        // What was counted before it was kept is missing in the bucket that it began in.
        let resolution = shelf.resolution
        let bucket = resolution.bucket(at: position)
        let begin = resolution.startSeconds(ofBucket: bucket)
        let whole = begin == position ? begin : resolution.startSeconds(ofBucket: bucket + 1)
        return whole < end ? whole : nil
    }

    /// The resolutions that together have all of a span, each event once; nil where none do.
    ///
    /// That is the coarsest one that has all of it; or, where a migration left none, one of each era that no other era of
    /// the span has.
    func resolutions(of span: TimeSpan, among shelves: [Shelf], now: Int64) -> [Resolution]? {
        let dividing = shelves.filter { LadderHistory.divides($0.resolution, span) }
        if let shelf = dividing.first(where: { shelf in
            reach(of: shelf, before: span.endSeconds, now: now).map { $0 <= span.startSeconds } ?? false
        }) {
            return [shelf.resolution]
        }
        let eras = era(at: span.startSeconds)...max(era(at: span.startSeconds), era(at: min(span.endSeconds - 1, now)))
        guard eras.count > 1 else { return nil }
        var chosen: [Resolution] = []
        for era in eras {
            guard
                let shelf = dividing.first(where: { shelf in
                    (firstKept(of: shelf, in: era, now: now) ?? .max) <= span.startSeconds
                        && eras.allSatisfy { $0 == era || shelf.keptSeconds[$0] == nil }
                })
            else { return nil }
            chosen.append(shelf.resolution)
        }
        return chosen
    }

    /// Whether a span is made of whole buckets.
    static func divides(_ resolution: Resolution, _ span: TimeSpan) -> Bool {
        // A day is never half as long as one of 24 hours: this spares most of the looking up of zones.
        span.lengthSeconds * 2 > resolution.widthSeconds && resolution.begins(at: span.startSeconds)
            && resolution.begins(at: span.endSeconds)
    }
}
