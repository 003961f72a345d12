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

/// Why a list of resolutions was refused.
package enum LadderError: Error, Equatable {
    case malformed(String)
    case tooLong(String)
    case keptShorterThanWidth(String)
    case tooMany(Int)
    case notNested(fine: Int64, coarse: Int64)
}

/// Lengths of time as users write them.
package enum Span {
    /// Seconds of `90s`, `5m`, `6h`, `31d`, `2w`, `1mo` (31 days), `2y` (365 days each); nil for anything else.
    package static func seconds(_ text: Substring) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), digits.count <= 12 else { return nil }
        let unit: Int64
        switch text.dropFirst(digits.count) {
        case "s": unit = 1
        case "m": unit = 60
        case "h": unit = 3_600
        case "d": unit = 86_400
        case "w": unit = 7 * 86_400
        case "mo": unit = 31 * 86_400
        case "y": unit = 365 * 86_400
        default: return nil
        }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : seconds
    }
}
