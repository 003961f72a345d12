import Glibc
import HailCore
import Testing

@testable import HailStore

@Suite("Store slots")
struct StoreSlotTests {
    @Test("a real server puts every shard's keys into the slot that we think")
    func slots() throws {
        // CLUSTER KEYSLOT answers only in cluster mode, so this one server is started by hand.
        let folder = try TestFolder()
        let log = folder.path + "/server.log"
        guard let held = Descriptor(opening: log, flags: O_RDWR | O_CREAT, mode: 0o600) else {
            throw StoreError.folder(path: log, reason: systemErrorText())
        }
        let child = try ServerProcess.start(
            [
                "redis-server", "--port", "0", "--dir", folder.path, "--unixsocket", "s", "--cluster-enabled", "yes",
                "--save", "",
            ], logPath: log, inheriting: held)
        defer {
            kill(child, SIGKILL)
            while !ServerProcess.hasEnded(child) { usleep(1_000) }
        }
        while (try? RedisConnection(unixSocket: folder.path + "/s")) == nil, !ServerProcess.hasEnded(child) {
            usleep(1_000)
        }
        var connection = try RedisConnection(unixSocket: folder.path + "/s")
        let shards = (0...255).map { Shard($0) }
        let commands = shards.map { shard in
            [Array("CLUSTER".utf8), Array("KEYSLOT".utf8), StoreKey.guardKey(shard: shard, agent: Sample.agent)]
        }
        let slots = try connection.pipeline(commands).map(\.number)
        #expect(slots == shards.map { Int64(Shard.slot(of: $0.tag)) })
    }
}
