internal import HailCore

/// How a dimension below another one compares with it.
public struct HailRank: Hashable, Sendable {
    /// The parts of its path.
    public let dimension: [String]
    /// The total of the metric, or the ratio.
    public let score: Double
    /// The total, or the ratio's numerator.
    public let value: Double
    /// The total, or the ratio's denominator.
    public let count: Double
    /// Of a total its share of its parent's; of a ratio how far it is from that of the whole, as a share of that.
    public let difference: Double
    /// Of a total what its important children leave of it; of a ratio how much of the value lies between it and that of
    /// the whole.
    public let effect: Double
    /// Whether it explains the whole; `protocol/http.md` says when.
    public let isImportant: Bool

    static func list(_ answer: JSONValue) throws(HailError) -> [HailRank] {
        var ranks: [HailRank] = []
        for member in try answer.members() {
            if member.name == "truncated_before", member.value.whole != nil { continue }
            func number(_ name: String) throws(HailError) -> Double {
                guard let number = member.value[name]?.number else { throw .badAnswer("a rank has no \(name)") }
                return number
            }
            guard case .bool(let isImportant) = member.value["important"] else {
                throw .badAnswer("a rank does not say whether it is important")
            }
            ranks.append(
                HailRank(
                    dimension: [String](answerKey: member.name), score: try number("score"),
                    value: try number("value"), count: try number("count"), difference: try number("difference"),
                    effect: try number("effect"), isImportant: isImportant))
        }
        return ranks
    }
}
