import HailCore
import HailWire
import Testing

@Suite("Decimal text")
struct DecimalTextTests {
    @Test(
        "is read exactly, in millionths",
        arguments: [
            ("0", "1", 0), ("-0", "1", 0), ("1", "1", 1_000_000), ("+1.", "1", 1_000_000), (".5", "1", 500_000),
            ("-12.5", "1", -12_500_000), ("0.000001", "1", 1), ("0.0000005", "1", 1), ("-0.0000005", "1", -1),
            ("0.00000049999999999999999", "1", 0), ("1e-3", "1", 1_000), ("1E+3", "1", 1_000_000_000),
            ("0e999999999999999999999", "1", 0), ("1e-999999999999999999999", "1", 0),
            ("9000000000000", "1", 9_000_000_000_000_000_000), ("-9e12", "1", -9_000_000_000_000_000_000),
            ("9000000000000.0000004", "1", 9_000_000_000_000_000_000),
            ("1", "0.1", 10_000_000), ("1", "0.3", 3_333_333), ("2", "0.3", 6_666_667),
            ("1", "1e-6", 1_000_000_000_000),
            ("9000000", "0.000001", 9_000_000_000_000_000_000), ("1000000", "0.3333333333333333", 3_000_000_000_000),
            ("900000", "0.1000000000000001", 9_000_000_000_000), ("1", "1.000", 1_000_000),
            (String(repeating: "0", count: 5_000) + "7", "1", 7_000_000),
            ("0." + String(repeating: "0", count: 5_000) + "7e5001", "1", 7_000_000),
        ] as [(String, String, Int64)])
    func exact(value: String, rate: String, micros: Int64) throws {
        #expect(try read(value, rate) == micros)
    }

    @Test("equals a division on paper, whatever the value and the rate", arguments: 0..<8)
    func paper(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<600 {
            let value = DecimalTextTests.value(&random)
            let rate = DecimalTextTests.rate(&random)
            let expected = DigitArithmetic.micros(value, rate: rate)
            do throws(LineError) {
                let micros = try read(value, rate)
                #expect(String(micros) == expected, "\(value) at \(rate)")
            } catch {
                #expect(error == .outOfRange)
                #expect(expected.drop { $0 == "-" }.count >= 19, "\(value) at \(rate)")
            }
        }
    }

    @Test("is the same number on the quick path and on the exact one")
    func paths() throws {
        var random = SplitMix(seed: 99)
        for _ in 0..<10_000 {
            let value = DecimalTextTests.plain(&random, whole: random.below(8), decimals: random.below(8))
            #expect(try read(value, "1") == read(value + "e0", "1"), "\(value)")
        }
    }

    @Test("weighs an event by 1/rate, rounded half up")
    func weight() throws {
        var random = SplitMix(seed: 5)
        for _ in 0..<600 {
            let rate = DecimalTextTests.rate(&random)
            let weight = try withBytes(rate) { bytes throws(LineError) in try DecimalText.rate(bytes).weightMicros }
            #expect(String(weight) == DigitArithmetic.micros("1", rate: rate), "\(rate)")
        }
    }

    private func read(_ value: String, _ rate: String) throws(LineError) -> Int64 {
        let rate = try withBytes(rate) { bytes throws(LineError) in try DecimalText.rate(bytes) }
        return try withBytes(value) { bytes throws(LineError) in try DecimalText.micros(bytes, rate: rate) }
    }

    private func withBytes<Value>(
        _ text: String, _ body: (UnsafeBufferPointer<UInt8>) throws(LineError) -> Value
    ) throws(LineError) -> Value {
        let bytes = Array(text.utf8)
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(LineError) -> Value in try body(buffer) }
        }
        return try result.get()
    }

    // MARK: Random numbers

    private static func plain(_ random: inout SplitMix, whole: Int, decimals: Int) -> String {
        var text = random.pick(["", "-", "+"])
        for _ in 0..<(whole + (decimals == 0 && whole == 0 ? 1 : 0)) { text += String(random.below(10)) }
        if decimals > 0 || random.below(10) == 0 { text += "." }
        for _ in 0..<decimals { text += String(random.below(10)) }
        return text
    }

    private static func value(_ random: inout SplitMix) -> String {
        switch random.below(4) {
        case 0: plain(&random, whole: random.below(14), decimals: random.below(12))
        case 1: plain(&random, whole: random.below(4), decimals: random.below(4)) + "e\(random.below(22) - 12)"
        case 2: "\(Double.random(in: -1e6...1e6, using: &random))"
        default: String(random.below(1_000_000))
        }
    }

    private static func rate(_ random: inout SplitMix) -> String {
        switch random.below(5) {
        case 0: "1"
        case 1: "\(1 / Double(1 + random.below(999_999)))"
        case 2: "\(Double.random(in: 1e-6...1, using: &random))"
        case 3: "0." + String(1 + random.below(9)) + String(random.below(1_000_000_000))
        default: random.pick(["0.1", "0.5", "0.25", "0.01", "0.3", "1e-6", "1e-3", "0.7"])
        }
    }
}
