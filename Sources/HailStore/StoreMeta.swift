import HailCore

/// The hash `hw:meta`: who comes first writes the settings down, who comes later must agree.
package enum StoreMeta {
    package enum Claim: Equatable, Sendable {
        /// The store was new; it is this agent's settings that hold now.
        case created
        case same
        /// One line for each setting that is another now.
        case migrated([String])
        /// One line for each setting that is another, for the operator. Nothing was written.
        case differs([String])
    }

    /// Writes the settings into a new store, or compares them with what is there, in one step.
    ///
    /// A setting that the store does not have yet, as one that a later version added, is added.
    ///
    /// - Parameter nowSeconds: from when on the resolutions hold, if they are new.
    package static func claim(
        _ settings: StoreSettings, nowSeconds: Int64, over connection: inout RedisConnection
    ) throws(StoreError) -> Claim {
        try run("claim", settings, nowSeconds, &connection)
    }

    /// Overwrites the settings, keeping what each was before as `NAME@UNTIL`.
    ///
    /// The layout and the shard map cannot be changed.
    ///
    /// - Returns: `differs` if layout or shard map are others, else the settings hold now.
    package static func migrate(
        _ settings: StoreSettings, nowSeconds: Int64, over connection: inout RedisConnection
    ) throws(StoreError) -> Claim {
        try run("migrate", settings, nowSeconds, &connection)
    }

    private static func run(
        _ mode: String, _ settings: StoreSettings, _ nowSeconds: Int64, _ connection: inout RedisConnection
    ) throws(StoreError) -> Claim {
        let words = [mode, "\(nowSeconds)"] + settings.fields.flatMap { [$0.name, $0.value] }
        let head = ["EVAL", source, "1"].map { Array($0.utf8) } + [StoreKey.meta]
        let reply = try connection.send(RedisCommand(head + words.map { Array($0.utf8) }))
        return try claim(reply)
    }

    /// What the store's answer means.
    static func claim(_ reply: StoreReply) throws(StoreError) -> Claim {
        if case .error(let text) = reply { throw .refused(command: "the check of hw:meta", reply: text) }
        guard case .array(let items) = reply, let verdict = items.first?.text else {
            throw .unexpectedReply(command: "the check of hw:meta")
        }
        switch verdict {
        case "created": return .created
        case "same": return .same
        case "migrated":
            return .migrated(triples(items).map { "\($0.name): from \"\($0.stored)\" to \"\($0.own)\"" })
        default:
            return .differs(triples(items).map { StoreSettings.difference($0.name, stored: $0.stored, own: $0.own) })
        }
    }

    private static func triples(_ items: [StoreReply]) -> [(name: String, stored: String, own: String)] {
        stride(from: 1, to: items.count - 2, by: 3).map { at in
            (items[at].text ?? "", items[at + 1].text ?? "", items[at + 2].text ?? "")
        }
    }

    /// What reads all of it.
    package static let readCommand = [Array("HGETALL".utf8), StoreKey.meta]

    /// The settings in an answer to `readCommand`, and what they were before.
    package static func fields(in reply: StoreReply) -> [String: String] {
        let texts: [String?]
        switch reply {
        case .array(let items): texts = items.map(\.text)
        case .texts(let list):
            texts = list.withTexts { texts in
                (0..<list.count).map { texts[$0].map { String(decoding: $0, as: UTF8.self) } }
            }
        default: return [:]
        }
        var fields: [String: String] = [:]
        for at in stride(from: 0, to: texts.count - 1, by: 2) {
            if let name = texts[at], let value = texts[at + 1] { fields[name] = value }
        }
        return fields
    }

    private static let source = """
        #!lua
        local key, mode, now = KEYS[1], ARGV[1], ARGV[2]
        local known = redis.call('HLEN', key) > 0
        local answer, missing = {'differs'}, {}
        for i = 3, #ARGV, 2 do
          local name, mine = ARGV[i], ARGV[i + 1]
          local theirs = redis.call('HGET', key, name)
          if not theirs then
            missing[#missing + 1] = name
            missing[#missing + 1] = mine
          elseif theirs ~= mine and (mode == 'claim' or name == 'layout' or name == 'shards') then
            answer[#answer + 1] = name
            answer[#answer + 1] = theirs
            answer[#answer + 1] = mine
          end
        end
        if known and missing[1] == 'layout' then return {'differs', 'layout', 'none', ARGV[4]} end
        if #answer > 1 then return answer end
        if mode == 'migrate' and known then
          answer = {'migrated'}
          for i = 3, #ARGV, 2 do
            local name, mine = ARGV[i], ARGV[i + 1]
            local was = redis.call('HGET', key, name)
            if was and was ~= mine then
              redis.call('HSETNX', key, name .. '@' .. now, was)
              if name == 'resolutions' then redis.call('HSET', key, 'valid-from', now) end
              answer[#answer + 1] = name
              answer[#answer + 1] = was
              answer[#answer + 1] = mine
            end
            redis.call('HSET', key, name, mine)
          end
          if #answer == 1 then return {'same'} end
          return answer
        end
        for i = 1, #missing, 2 do redis.call('HSETNX', key, missing[i], missing[i + 1]) end
        redis.call('HSETNX', key, 'valid-from', now)
        if known then return {'same'} end
        return {'created'}
        """
}
