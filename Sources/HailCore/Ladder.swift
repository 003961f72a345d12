/// Every resolution an agent keeps, finest first, the all-time total last.
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

    /// Seconds of the buckets that cells are folded into while the store is away, finest first; the last is so wide that
    /// the all-time total alone is left.
    package var foldedWidths: [Int64] {
        resolutions.filter { !$0.isAllTime }.map(\.widthSeconds) + [Int64(UInt32.max)]
    }

    /// The finest resolution; windows never straddle its buckets.
    package var finest: Resolution { resolutions[0] }

    /// Seconds after which no finite resolution keeps an event.
    package var longestKeptSeconds: Int64 { resolutions.map(\.keptSeconds).max() ?? 0 }

    /// The canonical text, as `hw:meta` keeps it: `10s:3600s,…` with every span in seconds.
    package var text: String {
        resolutions.filter { !$0.isAllTime }
            .map { "\($0.widthSeconds)s:\($0.keptSeconds)s" }.joined(separator: ",")
    }
}
