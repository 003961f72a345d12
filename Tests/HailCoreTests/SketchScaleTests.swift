import HailCore
import Testing

@Suite("Sketch scale")
struct SketchScaleTests {
    @Test("stands for every value within two per cent")
    func accuracy() {
        var state: UInt64 = 42
        for _ in 0..<200_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let exponent = Int(state >> 33) % 63 - 20
            let fraction = Double(state & 0xFFFF_FFFF) / 4_294_967_296
            let value = Double(sign: .plus, exponent: exponent, significand: 1 + fraction)
            for signed in [value, -value] {
                let read = SketchScale.value(of: SketchScale.bucket(of: signed))
                #expect(abs(read - signed) <= SketchScale.accuracy * value * 1.000_001, "\(signed) reads \(read)")
            }
        }
    }

    @Test(
        "keeps the order of values",
        arguments: [(-9e12, -1), (-1, -1e-6), (-1e-6, 0), (0, 1e-6), (1, 1.1), (1e6, 9e12)])
    func order(left: Double, right: Double) {
        let (low, high) = (SketchScale.bucket(of: left), SketchScale.bucket(of: right))
        #expect(SketchScale.isOrdered(low, high))
        #expect(!SketchScale.isOrdered(high, low))
        #expect(SketchScale.value(of: low) < SketchScale.value(of: high))
    }
}
