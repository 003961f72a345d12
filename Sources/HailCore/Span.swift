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
