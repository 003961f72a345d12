import HailCore
import Testing

@testable import HailStore

/// The flush script in a store of its own, batch after batch of one agent.
final class TestScript {
    let store: TestStore
    let hash: [UInt8]
    private var connection: RedisConnection
    private var sequences: [Digest: UInt64] = [:]

    init() throws {
        store = try TestStore()
        guard case .bytes(let hash) = try store.run("SCRIPT", "LOAD", FlushScript.source) else {
            throw StoreError.unexpectedReply(command: "SCRIPT LOAD")
        }
        self.hash = hash
        connection = try store.connector.connect()
    }

    /// Applies the entries as the agent's next batch, then the same batch again: that must change nothing.
    @discardableResult
    func apply(
        _ entries: BatchEntry..., agent: Digest = Sample.agent, condition: BatchGroup.Condition? = nil
    ) throws -> FlushReply {
        try apply(entries, agent: agent, condition: condition)
    }

    @discardableResult
    func apply(
        _ entries: [BatchEntry], agent: Digest = Sample.agent, condition: BatchGroup.Condition? = nil
    ) throws -> FlushReply {
        let sequence = sequences[agent, default: 0] + 1
        sequences[agent] = sequence
        let batch = Sample.batch(sequence, entries, agent: agent, condition: condition)
        // As it would come out of the spool.
        let read = try #require(Batch(decoding: batch.encoded[...]))
        let command = FlushScript.command(for: read, mode: .ordered, scriptHash: hash)
        let reply = FlushReply(try connection.send(command))
        #expect(FlushReply(try connection.send(command)) == .duplicate)
        return reply
    }

    func run(_ name: String, _ key: [UInt8], _ arguments: String...) throws -> StoreReply {
        try connection.send(RedisCommand([Array(name.utf8), key] + arguments.map { Array($0.utf8) }))
    }

    func run(_ arguments: [[UInt8]]) throws -> StoreReply { try connection.send(RedisCommand(arguments)) }

    /// What a field of an entry's key holds.
    func text(_ entry: BatchEntry, _ field: [UInt8]) throws -> String? {
        try run([Array("HGET".utf8), entry.key(shard: Sample.shard), field]).text
    }

    func text(_ entry: BatchEntry, _ field: String = "0") throws -> String? { try text(entry, Array(field.utf8)) }

    /// All keys but the agents' guards and the dead letters.
    func keys() throws -> [[UInt8]] {
        guard case .array(let keys) = try connection.send(RedisCommand("KEYS", "hw1:*")) else { return [] }
        return keys.compactMap { key -> [UInt8]? in
            guard case .bytes(let bytes) = key else { return nil }
            let letter = bytes.split(separator: UInt8(ascii: ":"))[2].first
            return letter == UInt8(ascii: "a") || letter == UInt8(ascii: "x") ? nil : bytes
        }
    }
}

extension Sample {
    /// An entry of one operation, its fields as text.
    static func entry(
        _ operation: BatchEntry.Operation, _ items: [(String, Int64)], letter: UInt8, width: UInt32 = 60,
        chunk: Int64 = 5, page: UInt8 = 0, expirySeconds: UInt64 = Sample.expirySeconds
    ) -> BatchEntry {
        BatchEntry(
            letter: letter, digest: subject, widthSeconds: width, chunk: chunk, page: page,
            expirySeconds: expirySeconds, operation: operation,
            items: items.map { BatchEntry.Item(field: Array($0.0.utf8), value: $0.1) })
    }

    static func written(_ fields: Int, expired: Int = 0, dead: [DeadReason: Int] = [:], used: [Int] = []) -> FlushReply
    {
        .applied(FlushTally(writtenFields: fields, expiredFields: expired, deadByReason: dead, usedGroups: used))
    }
}
