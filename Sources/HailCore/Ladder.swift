/// Every resolution an agent keeps, finest first; then the days of zones, and the all-time total last.
package struct Ladder: Hashable, Sendable {
    package let resolutions: [Resolution]

    /// The defaults of `--resolutions`.
    package static let standardText = "10s:1h,1m:1d,1h:31d,1d:2y"

    /// Reads `width:kept,width:kept…`; every width must divide the next coarser one.
    package init(parsing text: String) throws(LadderError) {
        var kept: [Resolution] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = item.split(separator: ":", omittingEmptySubsequences: false)
            guard halves.count == 2, let width = Span.seconds(halves[0]),
                let keptSeconds = Span.seconds(halves[1]), width > 0, keptSeconds > 0
            else { throw .malformed(String(item)) }
            guard width <= 366 * 86_400, keptSeconds <= 200 * 366 * 86_400 else { throw .tooLong(String(item)) }
            guard keptSeconds >= width else { throw .keptShorterThanWidth(String(item)) }
            kept.append(Resolution(widthSeconds: width, keptSeconds: keptSeconds))
        }
        kept.sort { $0.widthSeconds < $1.widthSeconds }
        guard kept.count <= 8 else { throw .tooMany(kept.count) }
        for (fine, coarse) in zip(kept, kept.dropFirst()) {
            guard fine.widthSeconds < coarse.widthSeconds, coarse.widthSeconds % fine.widthSeconds == 0
            else { throw .notNested(fine: fine.widthSeconds, coarse: coarse.widthSeconds) }
        }
        resolutions = kept + [.allTime]
    }

    private init(resolutions: [Resolution]) { self.resolutions = resolutions }

    /// The same, and beside every resolution that is made of days one for the days of each zone.
    ///
    /// A zone whose days are those of UTC adds nothing.
    ///
    /// - Parameter nowSeconds: what the zones' clocks do from as long ago as anything is kept has to agree with the finest
    ///   width.
    /// - Throws: where the finest width does not divide a zone's offsets, so that nobody would know which day its
    ///   buckets belong to; where there are no days at all; where two zones would share a store key.
    package func keepingDays(
        of zones: [ZoneRules], nowSeconds: Int64, digester: Digester
    ) throws(LadderError) -> Ladder {
        var added: [Resolution] = []
        for zone in zones where !zone.isUTC {
            let days = inUTC.compactMap { $0.days(in: zone, digester: digester) }
            guard !days.isEmpty else { throw .noDays }
            let offsets = zone.offsets(from: nowSeconds - longestKeptSeconds)
            if let odd = offsets.first(where: { $0 % finest.widthSeconds != 0 }) {
                throw .oddZone(zone.name, offsetSeconds: odd, finest: finest.widthSeconds)
            }
            for day in days where added.contains(where: { $0.storedWidth == day.storedWidth }) {
                throw .sharedKey(zone.name)
            }
            added += days
        }
        return Ladder(resolutions: inUTC + added + [.allTime])
    }

    /// The finite resolutions whose buckets are spans of UTC, finest first.
    package var inUTC: [Resolution] { resolutions.filter { !$0.isAllTime && $0.zone == nil } }

    /// Seconds of the buckets that cells are folded into while the store is away, finest first; the last is so wide that
    /// the all-time total alone is left.
    package var foldedWidths: [Int64] { inUTC.map(\.widthSeconds) + [Int64(UInt32.max)] }

    /// The finest resolution; windows never straddle its buckets.
    package var finest: Resolution { resolutions[0] }

    /// Seconds after which no finite resolution keeps an event.
    package var longestKeptSeconds: Int64 { resolutions.map(\.keptSeconds).max() ?? 0 }

    /// The canonical text, as `hw:meta` keeps it: `10s:3600s,…` with every span in seconds.
    package var text: String { inUTC.map { "\($0.widthSeconds)s:\($0.keptSeconds)s" }.joined(separator: ",") }

    /// In how many resolutions of zones' days a span of time counts.
    package func zoneDays(holding startSeconds: Int64, lengthSeconds: Int64) -> Int {
        resolutions.count {
            $0.zone != nil && $0.bucket(holding: startSeconds, lengthSeconds: lengthSeconds) != nil
        }
    }

    /// By resolution: the bucket that a span of time counts in, at a time; nil where it counts in none.
    ///
    /// A span that was folded so wide that it lies in two days of a zone counts in neither.
    package func buckets(holding startSeconds: Int64, lengthSeconds: Int64, nowSeconds: Int64) -> [Int64?] {
        resolutions.map { resolution in
            guard let bucket = resolution.bucket(holding: startSeconds, lengthSeconds: lengthSeconds) else {
                return nil
            }
            return resolution.isAllTime || resolution.expirySeconds(ofBucket: bucket) > nowSeconds ? bucket : nil
        }
    }
}
