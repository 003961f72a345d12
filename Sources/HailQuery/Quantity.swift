package import HailCore

/// A number of an answer: exact, as an amount over a whole divisor, so that `width ÷ unit` loses nothing; or the
/// `Double` that an estimate comes to.
package struct Quantity: Hashable, Sendable {
    /// The amount over the divisor; zero of an estimate.
    package let amount: Amount
    /// At least 1.
    package let divisor: Int64
    /// Of an estimate, its value; finite.
    private let estimate: Double?

    package static let zero = Quantity(.zero)

    package init(_ amount: Amount, over divisor: Int64 = 1) {
        self.amount = amount
        self.divisor = max(1, divisor)
        estimate = nil
    }

    /// A number that is not exact; 0 where it is not finite.
    package init(approximately number: Double) {
        (amount, divisor, estimate) = (.zero, 1, number.isFinite ? number : 0)
    }

    package init(_ number: Int64, over divisor: Int64 = 1) {
        self.init(Amount(whole: number, millionths: 0), over: divisor)
    }

    /// Reads `200`, `-0.5`: at most 13 digits before the point and 6 after it; nil for anything else.
    package init?(decimal text: String) {
        let isNegative = text.hasPrefix("-")
        let parts = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", omittingEmptySubsequences: false)
        let digits = parts.joined().utf8
        guard parts.count == 1 || parts.count == 2 && (1...6).contains(parts[1].utf8.count),
            (1...13).contains(parts[0].utf8.count), digits.allSatisfy({ (48...57).contains($0) }),
            let whole = Int64(parts[0])
        else { return nil }
        var millionths: Int64 = 0
        if parts.count == 2 {
            guard let fraction = Int64(parts[1] + String(repeating: "0", count: 6 - parts[1].utf8.count))
            else { return nil }
            millionths = fraction
        }
        let amount = Amount(whole: whole, millionths: millionths)
        self.init(isNegative ? Amount.zero - amount : amount)
    }

    package var isZero: Bool { estimate.map { $0 == 0 } ?? (amount == .zero) }

    /// The nearest `Double`, for sorting and shares.
    package var double: Double { estimate ?? amount.double / Double(divisor) }

    /// A JSON number: exact where a decimal of six places is, else the shortest text of the nearest `Double`.
    package var text: String {
        if let estimate { return Quantity.text(estimate) }
        let (quotient, rest) = amount.micros.quotientAndRemainder(dividingBy: Int128(divisor))
        return rest == 0 ? Amount(micros: quotient).description : Quantity.text(double)
    }

    /// Appends `text`.
    package func append(to bytes: inout [UInt8]) {
        if estimate == nil, divisor == 1, let micros = Int64(exactly: amount.micros) {
            let (whole, rest) = micros.quotientAndRemainder(dividingBy: 1_000_000)
            if rest == 0 { return StoreKey.appendDecimal(whole, to: &bytes) }
        }
        bytes += text.utf8
    }

    /// The JSON number of `self ÷ denominator`; 0 where the denominator is 0.
    package func text(over denominator: Quantity) -> String {
        guard !denominator.isZero else { return "0" }
        guard estimate == nil, denominator.estimate == nil else { return Quantity.text(double / denominator.double) }
        let (top, topOverflow) = amount.micros.multipliedReportingOverflow(by: Int128(denominator.divisor))
        let (bottom, bottomOverflow) = denominator.amount.micros.multipliedReportingOverflow(by: Int128(divisor))
        if !topOverflow, !bottomOverflow {
            let (quotient, overflow) = top.dividedReportingOverflow(by: bottom)
            if !overflow, quotient &* bottom == top { return String(quotient) }
            if !overflow {
                let common = Quantity.commonDivisor(top.magnitude, bottom.magnitude)
                let ratio = Double(top.magnitude / common) / Double(bottom.magnitude / common)
                return Quantity.text((top < 0) == (bottom < 0) ? ratio : -ratio)
            }
        }
        return Quantity.text(double / denominator.double)
    }

    /// The nearest `Double` of `self ÷ denominator`; 0 where the denominator is 0.
    package func double(over denominator: Quantity) -> Double {
        denominator.isZero ? 0 : double / denominator.double
    }

    /// `self ÷ denominator`, exact where both are and the numbers are not too large; 0 where the denominator is 0.
    package func divided(by denominator: Quantity) -> Quantity {
        guard !denominator.isZero else { return .zero }
        guard estimate == nil, denominator.estimate == nil else {
            return Quantity(approximately: double / denominator.double)
        }
        let (scaled, scaledOverflow) = amount.micros.multipliedReportingOverflow(by: Int128(denominator.divisor))
        let (top, topOverflow) = scaled.multipliedReportingOverflow(by: 1_000_000)
        let (bottom, bottomOverflow) = denominator.amount.micros.multipliedReportingOverflow(by: Int128(divisor))
        let common = Quantity.commonDivisor(top.magnitude, bottom.magnitude)
        guard !scaledOverflow, !topOverflow, !bottomOverflow,
            let divisor = Int64(exactly: bottom.magnitude / common),
            let micros = Int128(exactly: top.magnitude / common)
        else { return Quantity(approximately: double / denominator.double) }
        return Quantity(Amount(micros: (top < 0) == (bottom < 0) ? micros : -micros), over: divisor)
    }

    private static func commonDivisor(_ left: UInt128, _ right: UInt128) -> UInt128 {
        var (larger, smaller) = (left, right)
        while smaller > 0 { (larger, smaller) = (smaller, larger % smaller) }
        return max(1, larger)
    }

    /// The shortest text that reads back as the same `Double`, as JSON has it.
    private static func text(_ number: Double) -> String {
        guard number.isFinite, number != 0 else { return "0" }
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
