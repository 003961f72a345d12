import HailCore
import Testing

@testable import HailStore

@Suite("Store slots")
struct StoreSlotTests {
    @Test("a real server puts every shard's keys into the slot that we think")
    func slots() throws {
        // CLUSTER KEYSLOT answers only in cluster mode.
        let node = try ClusterNode()
        var connection = try RedisConnection(unixSocket: node.socketPath)
        let shards = (0...255).map { Shard($0) }
        let commands = shards.map { shard in
            [Array("CLUSTER".utf8), Array("KEYSLOT".utf8), StoreKey.guardKey(shard: shard, agent: Sample.agent)]
        }
        let slots = try connection.pipeline(commands).map(\.number)
        #expect(slots == shards.map { Int64(Shard.slot(of: $0.tag)) })
    }
}
