package import HailCore

/// Decimal numbers as text, read exactly.
///
/// A number is `[+-] [digits] [. [digits]] [(e|E) [+-] digits]` with at least one digit before or after the point.
/// Of a rate the first 18 significant digits count, one more than any `Double` prints; of a value the first 24
/// decimals.
package enum DecimalText {
    /// Millionths of a counted value divided by its rate, rounded half away from zero.
    ///
    /// - Throws: `badNumber`, or `outOfRange` above `Limits.largestValue`.
    package static func micros(_ text: UnsafeBufferPointer<UInt8>, rate: Rate = .one) throws(LineError) -> Int64 {
        if rate.isOne, let quick = quickMicros(text) { return quick }
        // A rate of 10⁻ᵏ or more, but less than 10¹⁻ᵏ, leaves no room for a value of more than 14 − k whole digits.
        let number = try scaled(text, decimals: rate.scale + 6, wholeDigits: 13 + 18 - rate.scale)
        // The value is `magnitude` ÷ 10^(scale + 6), the rate `mantissa` ÷ 10^scale: the quotient is millionths.
        let divisor = UInt128(rate.mantissa)
        let (quotient, remainder) = number.magnitude.quotientAndRemainder(dividingBy: divisor)
        let micros = remainder >= divisor - remainder ? quotient + 1 : quotient
        guard micros <= UInt128(Limits.largestValue) * 1_000_000 else { throw .outOfRange }
        return number.isNegative ? -Int64(micros) : Int64(micros)
    }

    /// The nearest `Double` of a number: what a gauge holds, beyond the range of counters as well.
    ///
    /// - Throws: `badNumber`, or `outOfRange` where it is not finite.
    package static func double(_ text: UnsafeBufferPointer<UInt8>) throws(LineError) -> Double {
        // Millionths below 2^53 are exact, and one division rounds once.
        if let micros = quickMicros(text), abs(micros) < 1 << 53 { return Double(micros) / 1_000_000 }
        _ = try Shape(text)
        guard let value = Double(String(decoding: text, as: UTF8.self)) else { throw .badNumber }
        guard value.isFinite else { throw .outOfRange }
        return value
    }

    /// A sample rate in [10⁻⁶, 1]: `mantissa` ÷ 10^`scale`, exact to 18 significant digits.
    package struct Rate: Equatable, Sendable {
        /// 18 digits, so at least 10¹⁷; 10¹⁸ stands for the rate 1.
        let mantissa: UInt64
        /// 18…23.
        let scale: Int

        package static let one = Rate(mantissa: 1_000_000_000_000_000_000, scale: 18)

        package var isOne: Bool { mantissa == Rate.one.mantissa }

        /// What one event that was kept stands for, in millionths, rounded half up.
        package var weightMicros: Int64 {
            if isOne { return 1_000_000 }
            var dividend: UInt128 = 1_000_000
            for _ in 0..<scale { dividend *= 10 }
            let divisor = UInt128(mantissa)
            return Int64((dividend + divisor / 2) / divisor)
        }
    }

    /// - Throws: `badRate`, or `rateOutOfRange` outside [10⁻⁶, 1].
    package static func rate(_ text: UnsafeBufferPointer<UInt8>) throws(LineError) -> Rate {
        let number: Scaled
        do {
            number = try scaled(text, decimals: 23, wholeDigits: 1)
        } catch {
            throw error == .outOfRange ? .rateOutOfRange : .badRate
        }
        var one: UInt128 = 1
        for _ in 0..<23 { one *= 10 }
        guard !number.isNegative, number.magnitude >= one / 1_000_000 * UInt128(Limits.smallestRateMicros),
            number.magnitude < one || (number.magnitude == one && !number.isCut)
        else { throw .rateOutOfRange }
        if number.magnitude == one { return .one }
        var mantissa = number.magnitude
        var scale = 23
        while mantissa >= UInt128(Rate.one.mantissa) {
            mantissa /= 10
            scale -= 1
        }
        return Rate(mantissa: UInt64(mantissa), scale: scale)
    }

    /// Up to twelve digits with at most six after the point: nearly every value there is.
    @inline(__always)
    static func quickMicros(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        var index = 0
        let count = text.count
        guard count > 0, count <= 14 else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        if isNegative || text[0] == UInt8(ascii: "+") { index = 1 }
        let first = index
        var mantissa: Int64 = 0
        var point = -1
        while index < count {
            let digit = text[index] &- UInt8(ascii: "0")
            if digit < 10 {
                mantissa = mantissa &* 10 &+ Int64(digit)
            } else if text[index] == UInt8(ascii: "."), point < 0 {
                point = index
            } else {
                return nil
            }
            index += 1
        }
        let digits = count - first - (point < 0 ? 0 : 1)
        let decimals = point < 0 ? 0 : count - point - 1
        guard digits > 0, digits <= 12, decimals <= 6 else { return nil }
        let micros = mantissa &* powersOfTen[6 - decimals]
        return isNegative ? -micros : micros
    }

    private static let powersOfTen: [Int64] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

    private struct Scaled {
        var magnitude: UInt128 = 0
        var isNegative: Bool
        /// Whether digits other than zero were cut off.
        var isCut = false
    }

    /// The magnitude of a number × 10^decimals, cut off there; a number of more than `wholeDigits` digits before the
    /// point is `outOfRange`, malformed text `badNumber`.
    private static func scaled(
        _ text: UnsafeBufferPointer<UInt8>, decimals: Int, wholeDigits: Int
    ) throws(LineError) -> Scaled {
        let shape = try Shape(text)
        var scaled = Scaled(isNegative: shape.isNegative)
        var isTooLarge = false
        // The power of ten that the next digit stands for.
        var power = shape.wholeCount - 1 + shape.exponent
        var index = shape.digitsStart
        while index < shape.digitsEnd {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: ".") { continue }
            let digit = byte - UInt8(ascii: "0")
            if power >= wholeDigits {
                if digit > 0 { isTooLarge = true }
            } else if power >= -decimals {
                scaled.magnitude = scaled.magnitude * 10 + UInt128(digit)
            } else if digit > 0 {
                scaled.isCut = true
            }
            power -= 1
        }
        if isTooLarge { throw .outOfRange }
        // `power` is now that of the digit after the last: fill up to the scale's last place.
        if scaled.magnitude > 0 {
            while power >= -decimals {
                scaled.magnitude *= 10
                power -= 1
            }
        }
        return scaled
    }

    /// Where the digits of a number lie.
    private struct Shape {
        var isNegative = false
        var digitsStart = 0
        var digitsEnd = 0
        /// Digits before the point.
        var wholeCount = 0
        /// Clamped to ±100,000, far beyond what any line can bring back into range.
        var exponent = 0

        init(_ text: UnsafeBufferPointer<UInt8>) throws(LineError) {
            var index = 0
            if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
                isNegative = first == UInt8(ascii: "-")
                index = 1
            }
            digitsStart = index
            while index < text.count, Shape.isDigit(text[index]) { index += 1 }
            wholeCount = index - digitsStart
            var digits = wholeCount
            if index < text.count, text[index] == UInt8(ascii: ".") {
                index += 1
                let start = index
                while index < text.count, Shape.isDigit(text[index]) { index += 1 }
                digits += index - start
            }
            digitsEnd = index
            guard digits > 0 else { throw .badNumber }
            if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
                exponent = try Shape.exponent(text, from: index + 1)
            } else if index != text.count {
                throw .badNumber
            }
        }

        private static func exponent(
            _ text: UnsafeBufferPointer<UInt8>, from start: Int
        ) throws(LineError) -> Int {
            var index = start
            var isNegative = false
            if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
                isNegative = text[index] == UInt8(ascii: "-")
                index += 1
            }
            guard index < text.count else { throw .badNumber }
            var exponent = 0
            while index < text.count {
                guard isDigit(text[index]) else { throw .badNumber }
                exponent = min(exponent * 10 + Int(text[index] - UInt8(ascii: "0")), 100_000)
                index += 1
            }
            return isNegative ? -exponent : exponent
        }

        private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
    }
}
