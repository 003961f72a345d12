import HailCore
import Testing

@testable import HailAggregate

@Suite("Window body")
struct WindowBodyTests {
    @Test("is read back as it was written", arguments: 0..<4)
    func roundTrip(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<200 {
            let body = WindowBodyTests.body(&random)
            #expect(WindowBody(decoding: body.encoded) == body)
        }
    }

    @Test("is nil for bytes that were cut, lengthened or changed, or another body: it never traps", arguments: 0..<4)
    func hostile(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<400 {
            let bytes = WindowBodyTests.body(&random).encoded
            #expect(WindowBody(decoding: Array(bytes.prefix(random.below(bytes.count)))) == nil)
            #expect(WindowBody(decoding: bytes + [0]) == nil)
            var mutated = bytes
            for _ in 0...random.below(4) {
                mutated[random.below(mutated.count)] = UInt8(truncatingIfNeeded: random.next())
            }
            if let body = WindowBody(decoding: mutated) { #expect(body.encoded.count == mutated.count) }
            let noise = (0..<random.below(100)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(WindowBody(decoding: [1, 0, 0xFF, 0xFF, 0xFF, 0xFF] + noise) == nil)
            _ = WindowBody(decoding: [1, UInt8(random.below(2))] + noise)
        }
        #expect(WindowBody(decoding: []) == nil)
        #expect(WindowBody(decoding: [2, 0, 0, 0, 0, 0]) == nil)
        #expect(WindowBody(decoding: [1, 2, 0, 0, 0, 0]) == nil)
    }

    @Test("has the bytes that the format says")
    func bytes() {
        let body = WindowBody(
            condition: .init(onceID: Digest(high: 1, low: 2), keptSeconds: 3),
            series: [
                .init(identity: [0x61], timeSeconds: 4, sums: [-1]),
                .init(
                    identity: [], timeSeconds: nil, sums: [],
                    samples: [.init(series: 9, slot: 1, isMove: true, value: -2, extra: 3, startSeconds: 4)]),
            ])
        let expected: [UInt8] =
            [1, 1] + [0, 0, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 0, 0, 0, 0, 2] + [0, 0, 0, 3] + [0, 0, 0, 2]
            + [0, 0, 0, 1, 0x61] + [0, 0, 0, 0, 0, 0, 0, 4] + [0, 1] + [UInt8](repeating: 0xFF, count: 16)
            + [0, 0, 0, 0] + [0, 0, 0, 0] + [0x80, 0, 0, 0, 0, 0, 0, 0] + [0, 0]
            + [0, 0, 0, 1, 0, 1, 1] + [UInt8](repeating: 0xFF, count: 7) + [0xFE] + [0, 0, 0, 0, 0, 0, 0, 3]
            + [0, 0, 0, 0, 0, 0, 0, 4]
        #expect(body.encoded == expected)
    }

    private static func body(_ random: inout SplitMix) -> WindowBody {
        let series = (0..<random.below(6)).map { _ in
            WindowBody.Series(
                identity: (0..<random.below(40)).map { _ in UInt8(truncatingIfNeeded: random.next()) },
                timeSeconds: random.below(2) == 0 ? nil : Int64(random.below(2_000_000_000)),
                sums: (0..<random.below(5)).map { _ in
                    Int128(truncatingIfNeeded: UInt128(random.next()) << 64 | UInt128(random.next()))
                },
                samples: (0..<random.below(5)).map { _ in
                    WindowSums.Sample(
                        series: 0, slot: UInt16(truncatingIfNeeded: random.next()), isMove: random.below(2) == 0,
                        value: Int64(bitPattern: random.next()), extra: Int64(bitPattern: random.next()),
                        startSeconds: Int64(bitPattern: random.next()))
                })
        }
        let condition = BatchGroup.Condition(
            onceID: Digest(high: random.next(), low: random.next()), keptSeconds: UInt32(random.below(1_000_000)))
        return WindowBody(condition: random.below(2) == 0 ? nil : condition, series: series)
    }
}
