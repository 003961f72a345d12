import FoundationEssentials
import HailCore
import Testing

@Suite("Shard")
struct ShardTests {
    struct Vector: Decodable {
        let shard: Int
        let tag: String
        let slot: UInt16
    }

    @Test("tags are those that are published, and lie in their share of the slots")
    func vectors() throws {
        let cases = try VectorFile.cases(of: "slots", as: Vector.self)
        #expect(cases.map(\.shard) == Array(0..<256))
        for vector in cases {
            let shard = try Shard(#require(UInt8(exactly: vector.shard)))
            #expect(String(decoding: shard.tag, as: UTF8.self) == vector.tag)
            #expect(Shard.slot(of: shard.tag) == vector.slot)
            #expect(Int(vector.slot) / 64 == vector.shard)
        }
    }

    @Test("slots are what the cluster specification computes", arguments: [("123456789", UInt16(0x31C3)), ("", 0)])
    func slots(tag: String, slot: UInt16) {
        #expect(Shard.slot(of: Array(tag.utf8)) == slot)
    }

    @Test("of a subject is the first byte of its digest", arguments: [UInt8(0), 1, 127, 255])
    func ofSubject(number: UInt8) {
        #expect(Shard(subject: Digest(high: UInt64(number) << 56 | 0xFF, low: 0)) == Shard(number))
    }
}
