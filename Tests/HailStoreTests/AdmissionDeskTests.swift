import HailCore
import Testing

@testable import HailStore

@Suite("Admission desk")
struct AdmissionDeskTests {
    private static func ask(_ shard: UInt8, items: Int = 1) -> AdmissionAsk {
        var page = AdmissionAsk.Page(
            digest: Sample.subject, widthSeconds: 60, chunk: 1, expirySeconds: 0, isWide: false)
        page.items = (0..<items).map {
            AdmissionAsk.Item(
                name: [UInt8(ascii: "g"), UInt8($0)], overflowPage: 1, counter: PageField.dimensionCount, limit: 9,
                parent: nil, node: UInt32($0), isHeavy: false)
        }
        return AdmissionAsk(shard: Shard(shard), smallFields: 9, pages: [page])
    }

    private func desk(_ asks: AdmissionAsk...) -> AdmissionDesk {
        var desk = AdmissionDesk()
        for ask in asks { desk.add(ask) }
        return desk
    }

    @Test("asks again what got no answer, and what was not asked in its round")
    func again() {
        var desk = desk(Self.ask(1), Self.ask(2), Self.ask(3))
        #expect(desk.commands(limitBytes: 1).count == 1)
        #expect(desk.commands(limitBytes: 1 << 20).count == 3)
        let outcome = desk.take([.array([.bytes([0x61])]), .error("NOSCRIPT no such script")])
        #expect(outcome.answers == [AdmissionAnswer(ask: Self.ask(1), verdicts: [[.admitted]])])
        #expect(outcome.needsScript && outcome.heldReason == nil)
        #expect(
            desk.take([.array([.bytes([0x72])]), .array([.bytes([0x6F])])]).answers.map(\.ask.shard.number) == [2, 3])
        #expect(desk.isEmpty)
    }

    @Test("waits where the store does nothing for now")
    func held() {
        var desk = desk(Self.ask(1))
        #expect(desk.take([.error("OOM command not allowed")]).heldReason == "OOM command not allowed")
        #expect(desk.isHeld && !desk.isEmpty && desk.commands(limitBytes: 1 << 20).isEmpty)
        desk.isHeld = false
        #expect(desk.commands(limitBytes: 1 << 20).count == 1)
    }

    @Test(
        "admits what is answered with nonsense, so that counting goes on",
        arguments: [
            .null, .integer(1), .array([]), .array([.bytes([0x61])]), .array([.bytes([0x61, 0x7A])]),
            .array([.bytes([0x61, 0x61, 0x61])]), .array([.bytes([0x61, 0x61]), .null]),
        ] as [StoreReply])
    func nonsense(reply: StoreReply) {
        var desk = desk(Self.ask(1, items: 2))
        #expect(desk.take([reply]).answers.map(\.verdicts) == [[[.unreadable, .unreadable]]])
        #expect(desk.isEmpty)
    }
}
