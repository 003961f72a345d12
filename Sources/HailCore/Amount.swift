/// An exact decimal number, counted in millionths.
///
/// 128 bits hold the sum of more events than a century brings, so adding never overflows in practice
/// and saturates by wrapping nowhere: one event is at most 9·10¹² (`Limits.largestValue`).
package struct Amount: Hashable, Comparable, Sendable {
    /// Millionths.
    package var micros: Int128

    package static let zero = Amount(micros: 0)
    package static let one = Amount(micros: 1_000_000)

    package init(micros: Int128) { self.micros = micros }

    /// A sum as the store keeps it: a whole part and millionths, each of them a sum of its own.
    package init(whole: Int64, millionths: Int64) {
        micros = Int128(whole) * 1_000_000 + Int128(millionths)
    }

    /// The part before the decimal point, rounded toward zero.
    package var whole: Int128 { micros / 1_000_000 }

    /// What `whole` leaves, in millionths, with the sign of the amount.
    package var millionths: Int64 { Int64(micros % 1_000_000) }

    /// The nearest `Double`.
    package var double: Double { Double(micros) / 1_000_000 }

    package static func + (left: Amount, right: Amount) -> Amount {
        Amount(micros: left.micros &+ right.micros)
    }

    package static func - (left: Amount, right: Amount) -> Amount {
        Amount(micros: left.micros &- right.micros)
    }

    package static func += (left: inout Amount, right: Amount) { left = left + right }

    package static func < (left: Amount, right: Amount) -> Bool { left.micros < right.micros }
}

extension Amount: CustomStringConvertible {
    /// The shortest exact decimal: `12`, `12.5`, `-0.000001`.
    ///
    /// It is also a JSON number.
    package var description: String {
        let magnitude = micros.magnitude
        let sign = micros < 0 ? "-" : ""
        let whole = "\(sign)\(magnitude / 1_000_000)"
        let rest = magnitude % 1_000_000
        guard rest > 0 else { return whole }
        var digits = String(rest)
        digits = String(repeating: "0", count: 6 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return whole + "." + digits
    }
}
