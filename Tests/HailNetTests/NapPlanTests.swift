import Testing

@testable import HailNet

@Suite("Nap plan")
struct NapPlanTests {
    @Test("fits the nap to the receive buffer", arguments: [(8 << 20, 1_000), (425_984, 300), (921_600, 600), (0, 300)])
    func nap(bytes: Int, microseconds: Int) {
        #expect(NapPlan(ReceiveBuffer(bytes: bytes)).napMicroseconds == UInt32(microseconds))
    }

    @Test("leaves after three empty looks in a row")
    func empty() {
        var plan = NapPlan(ReceiveBuffer(bytes: 8 << 20))
        plan.begin()
        #expect(plan.step(received: 1, heldNanoseconds: 0) == .nap(microseconds: 1_000))
        #expect(plan.step(received: 0, heldNanoseconds: 0) == .nap(microseconds: 1_000))
        #expect(plan.step(received: 0, heldNanoseconds: 0) == .nap(microseconds: 1_000))
        #expect(plan.step(received: 5, heldNanoseconds: 0) == .nap(microseconds: 1_000))
        #expect(plan.step(received: 0, heldNanoseconds: 0) == .nap(microseconds: 1_000))
        #expect(plan.step(received: 0, heldNanoseconds: 0) == .nap(microseconds: 1_000))
        #expect(plan.step(received: 0, heldNanoseconds: 0) == .leave)
        plan.begin()
        #expect(plan.step(received: 0, heldNanoseconds: 0) == .nap(microseconds: 1_000))
    }

    @Test("leaves when the queue was held long enough, however much comes")
    func held() {
        var plan = NapPlan(ReceiveBuffer(bytes: 8 << 20))
        #expect(plan.step(received: 9_999, heldNanoseconds: NapPlan.holdNanoseconds) == .leave)
    }

    @Test("does not nap when the next nap could overrun the buffer")
    func fast() {
        var plan = NapPlan(ReceiveBuffer(bytes: 768 * 400))
        #expect(plan.step(received: 100, heldNanoseconds: 0) == .nap(microseconds: 300))
        #expect(plan.step(received: 101, heldNanoseconds: 0) == .lookAgain)
    }
}

@Suite("Kernel drop count")
struct KernelDropCountTests {
    @Test(
        "adds up a counter that wraps and arrives late",
        arguments: [
            ([], 0), ([0], 0), ([5], 5), ([5, 5, 7], 7), ([7, 5, 8], 8), ([0x7FFF_FFFF, 0xFFFF_FFFE, 3], 0x1_0000_0003),
            ([0x7FFF_FFFF, 0xFFFF_FFFE, 3, 0xFFFF_FFFF], 0x1_0000_0003),
        ] as [([UInt32], UInt64)])
    func adds(values: [UInt32], total: UInt64) {
        var count = KernelDropCount()
        for value in values { count.take(value) }
        #expect(count.total == total)
    }
}
