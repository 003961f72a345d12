import Testing

@testable import HailNet

@Suite("Nap plan")
struct NapPlanTests {
    @Test(
        "fits the nap to the receive buffer", arguments: [(8 << 20, 1_000), (425_984, 300), (921_600, 600), (0, 300)])
    func nap(bytes: Int, microseconds: Int) {
        #expect(NapPlan(ReceiveBuffer(bytes: bytes)).napMicroseconds == UInt32(microseconds))
    }

    private let ms: UInt64 = 1_000_000

    @Test(
        "naps where a nap gathers four datagrams or more, and leaves where it gathers fewer",
        arguments: [(0, 1), (1, 1), (3, 1), (15, 4), (64, 20)] as [(Int, UInt64)])
    func thin(received: Int, milliseconds: UInt64) {
        var plan = NapPlan(ReceiveBuffer(bytes: 8 << 20))
        _ = plan.step(received: 0, nowNanoseconds: 900 * ms, wokenNanoseconds: 900 * ms)
        let now = (900 + milliseconds) * ms
        #expect(plan.step(received: received, nowNanoseconds: now, wokenNanoseconds: now) == .leave)
        var busier = NapPlan(ReceiveBuffer(bytes: 8 << 20))
        _ = busier.step(received: 0, nowNanoseconds: 900 * ms, wokenNanoseconds: 900 * ms)
        let more = 4 * Int(milliseconds)
        #expect(
            busier.step(received: more, nowNanoseconds: now, wokenNanoseconds: now)
                == (more > busier.capacity / 4 ? .lookAgain : .nap(microseconds: 1_000)))
    }

    @Test("takes single datagrams that come fast for what they are")
    func wakes() {
        var plan = NapPlan(ReceiveBuffer(bytes: 8 << 20))
        #expect(plan.step(received: 1, nowNanoseconds: 500 * ms, wokenNanoseconds: 500 * ms) == .leave)
        let soon = 500 * ms + 20_000
        #expect(plan.step(received: 1, nowNanoseconds: soon, wokenNanoseconds: soon) == .nap(microseconds: 1_000))
    }

    @Test("leaves when the queue was held long enough, however much comes")
    func held() {
        var plan = NapPlan(ReceiveBuffer(bytes: 8 << 20))
        #expect(plan.step(received: 9_999, nowNanoseconds: 150 * ms, wokenNanoseconds: 100 * ms) == .leave)
        #expect(plan.step(received: 9_999, nowNanoseconds: 149 * ms, wokenNanoseconds: 100 * ms) == .lookAgain)
    }

    @Test("does not nap when the next nap could overrun the buffer")
    func fast() {
        var plan = NapPlan(ReceiveBuffer(bytes: 768 * 400))
        _ = plan.step(received: 0, nowNanoseconds: 100 * ms, wokenNanoseconds: 100 * ms)
        #expect(
            plan.step(received: 100, nowNanoseconds: 101 * ms, wokenNanoseconds: 101 * ms) == .nap(microseconds: 300))
        #expect(plan.step(received: 101, nowNanoseconds: 102 * ms, wokenNanoseconds: 102 * ms) == .lookAgain)
    }
}

@Suite("Kernel drop count")
struct KernelDropCountTests {
    @Test(
        "adds up a counter that wraps and arrives late",
        arguments: [
            ([], 0), ([0], 0), ([5], 5), ([5, 5, 7], 7), ([7, 5, 8], 8),
            ([0x7FFF_FFFF, 0xFFFF_FFFE, 3], 0x1_0000_0003),
            ([0x7FFF_FFFF, 0xFFFF_FFFE, 3, 0xFFFF_FFFF], 0x1_0000_0003),
        ] as [([UInt32], UInt64)])
    func adds(values: [UInt32], total: UInt64) {
        var count = KernelDropCount()
        for value in values { count.take(value) }
        #expect(count.total == total)
    }
}
