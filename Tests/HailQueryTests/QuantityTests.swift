import HailCore
import HailQuery
import Testing

@Suite("Quantity")
struct QuantityTests {
    @Test(
        "is written exactly where it can be",
        arguments: [
            (Quantity(12), "12"), (Quantity(Amount(micros: 12_500_000)), "12.5"),
            (Quantity(60, over: 3_600), "0.016666666666666666"),
            (Quantity(3, over: 2), "1.5"), (Quantity(-1, over: 4), "-0.25"), (Quantity(0, over: 7), "0"),
            (Quantity(Amount(micros: Int128(Int64.max) * 1_000_000)), "9223372036854775807"),
        ])
    func text(quantity: Quantity, text: String) {
        #expect(quantity.text == text)
    }

    @Test(
        "is divided exactly where it can be, and by 0 is 0",
        arguments: [
            (Quantity(200), Quantity(2), "100"), (Quantity(1), Quantity(3), "0.3333333333333333"),
            (Quantity(-1_300), Quantity(3), "-433.3333333333333"), (Quantity(5), Quantity(0), "0"),
            (Quantity(0), Quantity(-5), "0"),
            (Quantity(5), Quantity(60, over: 3_600), "300"), (Quantity(Amount(micros: 1)), Quantity(10), "1e-07"),
            (Quantity(Amount(micros: Int128.max / 2)), Quantity(3, over: Int64.max), "2.615347e+50"),
            (Quantity(1), Quantity(10), "0.1"), (Quantity(6), Quantity(-3), "-2"),
        ])
    func ratio(top: Quantity, bottom: Quantity, text: String) throws {
        let written = top.text(over: bottom)
        if text.contains("e+") {
            let (left, right) = (try #require(Double(written)), try #require(Double(text)))
            #expect(left / right > 0.99 && left / right < 1.01)
        } else {
            #expect(written == text)
        }
    }

    @Test(
        "stays exact when divided, unless it is an estimate or too large",
        arguments: [
            (Quantity(10), Quantity(4), "2.5"), (Quantity(1), Quantity(3), "0.3333333333333333"),
            (Quantity(-7), Quantity(2), "-3.5"), (Quantity(7), Quantity(-2), "-3.5"), (Quantity(5), Quantity(0), "0"),
            (Quantity(Amount(micros: 1)), Quantity(Amount(micros: 4)), "0.25"),
            (Quantity(60, over: 7), Quantity(30, over: 7), "2"),
            (Quantity(Amount(micros: .max)), Quantity(Amount(micros: .max)), "1"),
            (Quantity(Amount(micros: .min)), Quantity(Amount(micros: .min)), "1"),
            (Quantity(approximately: 3), Quantity(2), "1.5"), (Quantity(3), Quantity(approximately: 2), "1.5"),
            (Quantity(3), Quantity(approximately: 0), "0"), (Quantity(approximately: .nan), Quantity(1), "0"),
            (Quantity(approximately: -.infinity), Quantity(1), "0"), (Quantity(approximately: -0.0), Quantity(1), "0"),
        ])
    func divided(top: Quantity, bottom: Quantity, text: String) {
        #expect(top.divided(by: bottom).text == text)
        #expect(top.text(over: bottom) == text)
    }

    @Test(
        "is read from plain decimals only",
        arguments: ["", "-", ".5", "5.", "1e3", "+1", "1.0000001", "12345678901234", "1.2.3", "０"])
    func notDecimal(text: String) {
        #expect(Quantity(decimal: text) == nil)
    }
}
