import HailCore
import HailQuery

@testable import HailAgent

/// A file of the zone database; what it says of days is held to what days are.
enum ZoneTarget {
    static func run(_ bytes: [UInt8]) {
        let text = String(decoding: bytes.prefix(80), as: UTF8.self)
        if ZoneFolder.isName(text) {
            claim(!text.hasPrefix("/") && !text.contains("..") && text.utf8.count <= 64, "\(text) is a name")
        }
        guard let zone = ZoneFile.rules(name: "z", in: bytes) else { return }
        let seconds = bytes.suffix(8).reduce(Int64(0)) { $0 << 4 | Int64($1 & 15) } - 1 << 31
        for instant in [0, LineTarget.now, seconds, 4 * seconds, 64 * seconds, LineTarget.now + 400 * 31_556_952] {
            let day = zone.dayNumber(at: instant)
            claim(zone.startSeconds(ofDay: day) <= instant, "day \(day) begins after \(instant)")
            claim(zone.startSeconds(ofDay: day + 1) > instant, "day \(day) ends before \(instant)")
            claim(abs(zone.offsetSeconds(at: instant)) <= ZoneRules.farthestSeconds, "an offset out of bounds")
        }
        for text in ["1d:10d", "1mo:1y", "today"] {
            guard let period = try? Period(parsing: text), let ladder = SpoolTarget.ladder else { continue }
            let coverage = try? Coverage(
                period, now: LineTarget.now, zone: zone, history: LadderHistory(ladder), cutsForeignDays: true)
            claim(
                coverage.map { zip($0.spans, $0.spans.dropFirst()).allSatisfy { $0.endSeconds == $1.startSeconds } }
                    ?? true,
                "a gap between points")
        }
    }
}
