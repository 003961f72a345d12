package import HailCore

/// The script that applies one batch, whole and once.
///
/// `protocol/redis.md` publishes what it takes and answers.
package enum FlushScript {
    /// Seconds a guard is kept after the last batch it saw: longer than any spool record is replayed (4 days).
    package static let guardSeconds: Int64 = 8 * 86_400

    /// How the store is to treat a batch that does not follow the one it saw last.
    package enum Mode: String, Sendable {
        case ordered = ""
        /// What the store lost cannot be sent again: count on from here.
        case reverted
    }

    /// The EVALSHA command for a batch, as the store's protocol has it.
    package static func command(for batch: Batch, mode: Mode, scriptHash: [UInt8]) -> RedisCommand {
        var keys = [
            StoreKey.guardKey(shard: batch.shard, agent: batch.agent), StoreKey.deadLetters(shard: batch.shard),
        ]
        var numbers: [[UInt8]: Int] = [:]
        func number(of key: [UInt8]) -> Int64 {
            if let number = numbers[key] { return Int64(number) }
            keys.append(key)
            numbers[key] = keys.count
            return Int64(keys.count)
        }
        var setNumbers: [[UInt8]: Int] = [:]
        // A set's key and, right behind it, the four that take over from it: the script counts on their places.
        func numberOfSet(_ entry: BatchEntry) -> Int64 {
            let key = entry.key(shard: batch.shard)
            if let number = setNumbers[key] { return Int64(number) }
            keys.append(key)
            setNumbers[key] = keys.count
            defer { keys += entry.quarterKeys(shard: batch.shard) }
            return Int64(keys.count)
        }
        // Keys come before arguments, and every key is named once.
        var arguments = 4
        var entryKeys: [Int64] = []
        var onceKeys: [Int64] = []
        for group in batch.groups {
            arguments += 3
            onceKeys.append(
                group.condition.map { number(of: StoreKey.once(shard: batch.shard, id: $0.onceID)) } ?? 0)
            for entry in group.entries {
                arguments += 4 + 2 * entry.items.count
                entryKeys.append(
                    entry.operation == .distinct ? numberOfSet(entry) : number(of: entry.key(shard: batch.shard)))
            }
        }

        var command = RedisCommand(
            argumentCount: 3 + keys.count + arguments, reservingBytes: 200 + 60 * keys.count + 20 * arguments)
        command.append("EVALSHA".utf8)
        command.append(scriptHash)
        command.append(Int64(keys.count))
        for key in keys { command.append(key) }
        command.append(Int64(clamping: batch.sequence))
        command.append(mode.rawValue.utf8)
        command.append(guardSeconds)
        command.append(Int64(batch.groups.count))
        var nextEntry = 0
        for (index, group) in batch.groups.enumerated() {
            command.append(onceKeys[index])
            command.append(Int64(group.condition?.keptSeconds ?? 0))
            command.append(Int64(group.entries.count))
            for entry in group.entries {
                command.append(entryKeys[nextEntry])
                nextEntry += 1
                command.append(Int64(clamping: entry.expirySeconds))
                command.append(CollectionOfOne(entry.operation.rawValue))
                command.append(Int64(entry.items.count))
                for item in entry.items {
                    command.append(item.field)
                    command.append(item.value)
                }
            }
        }
        return command
    }

    /// Records kept in a shard's dead-letter list.
    package static let deadLetterLimit = 1_000

    package static let source = FlushScriptText.lua
}
