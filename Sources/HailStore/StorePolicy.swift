/// Whether a store keeps what it was given.
package struct StorePolicy: Equatable, Sendable {
    package let isDurable: Bool
    /// Why, for the operator.
    package let reason: String

    /// Asks the store about eviction and durability.
    ///
    /// `CONFIG` may be forbidden to this user; `INFO` then says nearly as much.
    ///
    /// - Throws: `mayEvict` if the store may drop keys to make room; `refused` if it does not say.
    package static func check(over connection: inout RedisConnection) throws(StoreError) -> StorePolicy {
        let replies = try connection.pipeline([
            RedisCommand("CONFIG", "GET", "maxmemory-policy"), RedisCommand("CONFIG", "GET", "appendfsync"),
            RedisCommand("INFO", "memory"), RedisCommand("INFO", "persistence"), RedisCommand("INFO", "replication"),
        ])
        let memory = lines(replies[2])
        let persistence = lines(replies[3])
        let replication = lines(replies[4])
        guard let eviction = setting(replies[0]) ?? memory["maxmemory_policy"] else {
            let text = if case .error(let text) = replies[2] { text } else { "no maxmemory_policy" }
            throw .refused(command: "CONFIG GET maxmemory-policy and INFO memory", reply: text)
        }
        guard eviction == "noeviction" else { throw .mayEvict(policy: eviction) }
        return standing(persistence: persistence, replication: replication, fsync: setting(replies[1]))
    }

    private static func standing(
        persistence: [String: String], replication: [String: String], fsync: String?
    ) -> StorePolicy {
        let replicas = replication["connected_slaves"].flatMap { Int($0) } ?? 0
        if persistence["aof_enabled"] == "1" {
            let text = fsync.map { ", appendfsync \($0)" } ?? ""
            return fsync == "no" && replicas == 0
                ? StorePolicy(isDurable: false, reason: "append-only file" + text)
                : StorePolicy(isDurable: true, reason: "append-only file" + text)
        }
        if replicas > 0 {
            return StorePolicy(isDurable: true, reason: replicas == 1 ? "1 replica" : "\(replicas) replicas")
        }
        return persistence.isEmpty
            ? StorePolicy(isDurable: false, reason: "the store does not say (INFO persistence is refused)")
            : StorePolicy(isDurable: false, reason: "no append-only file and no replica")
    }

    private static func setting(_ reply: StoreReply) -> String? {
        guard case .array(let pair) = reply, pair.count == 2 else { return nil }
        return pair[1].text
    }

    private static func lines(_ reply: StoreReply) -> [String: String] {
        guard let text = reply.text else { return [:] }
        var found: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            found[String(line[..<colon])] = String(line[line.index(after: colon)...])
        }
        return found
    }
}
