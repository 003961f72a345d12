/// Exact division of decimal numbers, digit by digit on paper: what `DecimalText` is compared with.
enum DigitArithmetic {
    /// `value` ÷ `rate` × 10⁶ as decimal text, rounded half away from zero; both are well-formed numbers.
    static func micros(_ value: String, rate: String = "1") -> String {
        let (value, rate) = (Number(value), Number(rate))
        let shift = value.exponent - rate.exponent + 6
        let numerator = value.digits + [Int](repeating: 0, count: max(shift, 0))
        let denominator = trimmed(rate.digits + [Int](repeating: 0, count: max(-shift, 0)))
        var quotient: [Int] = []
        var rest: [Int] = []
        for digit in numerator {
            rest = trimmed(rest + [digit])
            var times = 0
            while !isLess(rest, denominator) {
                rest = difference(rest, denominator)
                times += 1
            }
            quotient.append(times)
        }
        let isUp = !isLess(sum(rest, rest), denominator)
        let rounded = isUp ? sum(quotient, [1]) : trimmed(quotient)
        let text = rounded.isEmpty ? "0" : rounded.map(String.init).joined()
        return value.isNegative && text != "0" ? "-" + text : text
    }

    /// Digits, most significant first, times a power of ten.
    private struct Number {
        var isNegative = false
        var digits: [Int] = []
        var exponent = 0

        init(_ text: String) {
            var text = Substring(text)
            isNegative = text.hasPrefix("-")
            if text.hasPrefix("-") || text.hasPrefix("+") { text = text.dropFirst() }
            let halves = text.split(whereSeparator: { $0 == "e" || $0 == "E" })
            exponent = halves.count > 1 ? Int(halves[1]) ?? 0 : 0
            let parts = (halves.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
            if parts.count > 1 { exponent -= parts[1].count }
            digits = trimmed(parts.joined().compactMap(\.wholeNumberValue))
        }
    }

    private static func trimmed(_ digits: [Int]) -> [Int] { Array(digits.drop { $0 == 0 }) }

    private static func isLess(_ left: [Int], _ right: [Int]) -> Bool {
        left.count == right.count ? left.lexicographicallyPrecedes(right) : left.count < right.count
    }

    private static func sum(_ left: [Int], _ right: [Int]) -> [Int] {
        let count = max(left.count, right.count) + 1
        var total = [Int](repeating: 0, count: count)
        for index in 0..<count {
            let place = count - 1 - index
            if index < left.count { total[place] += left[left.count - 1 - index] }
            if index < right.count { total[place] += right[right.count - 1 - index] }
            if total[place] > 9 {
                total[place] -= 10
                total[place - 1] += 1
            }
        }
        return trimmed(total)
    }

    /// `left` must not be less than `right`.
    private static func difference(_ left: [Int], _ right: [Int]) -> [Int] {
        var rest = left
        for index in 0..<left.count {
            let place = left.count - 1 - index
            if index < right.count { rest[place] -= right[right.count - 1 - index] }
            if rest[place] < 0 {
                rest[place] += 10
                rest[place - 1] -= 1
            }
        }
        return trimmed(rest)
    }
}
