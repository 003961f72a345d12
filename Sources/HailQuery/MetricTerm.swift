package import HailCore

/// One side of a metric expression: a metric by name, how it is read, or a constant.
package struct MetricTerm: Hashable, Sendable {
    /// How the points of a series build on each other.
    package enum Carry: Hashable, Sendable {
        case none
        /// `m:+`: each point is what all up to and with it come to: of a counter their sum, of a gauge its last value,
        /// of a timer the number over all values, of a set the union.
        case cumulative
        /// `m:last`: a point without a value repeats the one before.
        case forward
    }

    /// Numbers of a timer that `m:…` may ask for.
    package enum Statistic: Hashable, Sendable {
        case count, sum, mean, min, max, stddev
        /// In millionths of a percent: `p99.9` is 99,900,000.
        case percentile(Int)
    }

    /// The metric's name, decoded.
    package let name: Name
    /// The kind that was chosen; nil reads the counter, else the gauge, else the timer, else the set.
    package let kind: Kind?
    package let statistic: Statistic?
    package let carry: Carry
    /// What the name means where no such metric is stored.
    package let constant: Constant?
    /// Whether it was written `=200` or `=days`: a constant even where a metric has the name.
    package let isForced: Bool

    /// Reads one side of an expression.
    ///
    /// - Throws: `bad_metric`.
    package init(parsing text: Substring) throws(QueryError) {
        let parts = MetricTerm.split(text, at: ":")
        let name = MetricTerm.decoded(MetricTerm.trimmed(parts[0]))
        if name.utf8.first == UInt8(ascii: "="), let constant = Constant(String(name.dropFirst())), parts.count == 1 {
            self.name = Name(name)
            (kind, statistic, carry, self.constant, isForced) = (nil, nil, .none, constant, true)
            return
        }
        guard !name.isEmpty, name.utf8.count <= Limits.partBytes,
            !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else {
            throw QueryError(
                .badMetric, "metrics",
                "\(quoted(text)) is no metric; a name has 1 to \(Limits.partBytes) bytes without control bytes.")
        }
        var modes = Modes()
        for mode in parts.dropFirst() where !modes.take(mode) {
            throw QueryError(
                .badMetric, "metrics",
                "\(quoted(mode)) in \(quoted(text)) is no mode, or one too many; write :+, :last, :counter, :gauge, "
                    + ":timer, :set, :count, :sum, :mean, :min, :max, :stddev or :p0 to :p100, and / and : inside a "
                    + "name as %2F and %3A.")
        }
        if let kind = modes.kind, kind != .timer, modes.statistic != nil {
            throw QueryError(
                .badMetric, "metrics",
                "\(quoted(text)) asks for a statistic of a \(kind.name); only timers have them.")
        }
        self.name = Name(name)
        // Only timers have statistics, so that naming one chooses the kind.
        kind = modes.kind ?? (modes.statistic == nil ? nil : .timer)
        (statistic, carry) = (modes.statistic, modes.carry ?? .none)
        constant = parts.count == 1 ? Constant(name) : nil
        isForced = false
    }

    /// Whether it names no kind, so that what is stored decides.
    var isOpen: Bool { kind == nil && !isForced }

    /// What it is read as, by the kinds of the metrics that are named without one; nil where it is a constant.
    ///
    /// A name that nothing is known of is a counter without events.
    func kind(known kinds: [Name: Kind]) -> Kind? {
        if isForced { return nil }
        return kind ?? kinds[name] ?? (constant == nil ? .counter : nil)
    }

    /// What a timer is asked for.
    var timerStatistic: Statistic { statistic ?? .mean }

    /// Whether only cells with sketches and distinct members can answer it, if it is of a kind.
    func needsSketch(as kind: Kind) -> Bool {
        if case .percentile = timerStatistic, kind == .timer { return true }
        return kind == .set
    }

    private struct Modes {
        var kind: Kind?
        var statistic: Statistic?
        var carry: Carry?

        /// Takes one mode; false where it is unknown or given twice.
        mutating func take(_ text: Substring) -> Bool {
            // A `+` of a query string arrives as a space.
            if text == "+" || text == " " { return set(.cumulative) }
            let word = MetricTerm.trimmed(text)
            if word == "last" { return set(.forward) }
            if let chosen = Kind.allCases.first(where: { $0.name == word }) {
                defer { kind = chosen }
                return kind == nil
            }
            guard let chosen = Modes.statistic(word), statistic == nil else { return false }
            statistic = chosen
            return true
        }

        private mutating func set(_ chosen: Carry) -> Bool {
            defer { carry = chosen }
            return carry == nil
        }

        private static func statistic(_ word: Substring) -> Statistic? {
            switch word {
            case "count": return .count
            case "sum": return .sum
            case "mean": return .mean
            case "min": return .min
            case "max": return .max
            case "stddev": return .stddev
            default:
                guard word.first == "p", word.utf8.count <= 11, let rank = Quantity(decimal: String(word.dropFirst())),
                    rank.amount >= .zero, rank.amount <= Quantity(100).amount
                else { return nil }
                return .percentile(Int(rank.amount.micros))
            }
        }
    }

    /// Replaces `%2F` and `%3A`, which stand for the two characters an expression uses itself.
    private static func decoded(_ text: Substring) -> String {
        guard text.contains("%") else { return String(text) }
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            let escape = rest.prefix(3).map { $0 >= UInt8(ascii: "a") ? $0 - 32 : $0 }
            if escape == Array("%2F".utf8) {
                out.append(UInt8(ascii: "/"))
                rest = rest.dropFirst(3)
            } else if escape == Array("%3A".utf8) {
                out.append(UInt8(ascii: ":"))
                rest = rest.dropFirst(3)
            } else {
                out.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.utf8.first == UInt8(ascii: " ") { text = Substring(text.utf8.dropFirst()) }
        while text.utf8.last == UInt8(ascii: " ") { text = Substring(text.utf8.dropLast()) }
        return text
    }

    /// Cuts at a sign of the question; by bytes, since a mark that the next name begins with makes another character
    /// of it.
    static func split(_ text: Substring, at sign: Unicode.Scalar) -> [Substring] {
        text.utf8.split(separator: UInt8(ascii: sign), omittingEmptySubsequences: false).map { Substring($0) }
    }
}
