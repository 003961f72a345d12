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
                entryKeys.append(number(of: entry.key(shard: batch.shard)))
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

    package static let source = """
        #!lua
        local K, A = KEYS, ARGV
        local call, try, type = redis.call, redis.pcall, type

        local function count(text)
          local n = tonumber(text)
          if n and n >= 0 and n % 1 == 0 then return n end
        end

        -- 1. The shape of the arguments, before anything is written.
        local seq, mode, ttl, groups = count(A[1]), A[2], count(A[3]), count(A[4])
        if not (seq and seq > 0 and ttl and ttl > 0 and groups and (mode == '' or mode == 'reverted') and #K >= 2) then
          return {'malformed', 'head'}
        end
        local at, keys, last_arg = 5, #K, #A
        for _ = 1, groups do
          local once, kept, entries = count(A[at]), count(A[at + 1]), count(A[at + 2])
          if not (once and kept and entries) or once > keys or (once > 0 and kept < 1) then
            return {'malformed', 'group at ' .. at}
          end
          at = at + 3
          for _ = 1, entries do
            local key, expiry, op, items = count(A[at]), count(A[at + 1]), A[at + 2], count(A[at + 3])
            if not (key and expiry and items) or key < 3 or key > keys or not (op == '+' or op == 'n' or op == 'z') then
              return {'malformed', 'entry at ' .. at}
            end
            at = at + 4 + 2 * items
            if at > last_arg + 1 then return {'malformed', 'items'} end
          end
        end
        if at ~= last_arg + 1 then return {'malformed', 'length'} end

        -- 2. The guard.
        local seen = try('GET', K[1])
        local last = 0
        if seen then
          last = count(seen)
          if not last then return {'partial', 'the guard does not read'} end
          if seq <= last then return {'duplicate', last} end
        end
        if mode == '' and seq ~= last + 1 then
          if seen then return {'gap', last} end
          return {'missing'}
        end
        call('SET', K[1], seq, 'EX', ttl)

        -- 3. The cells.
        local now = tonumber(call('TIME')[1])
        local applied, expired, used, dead = 0, 0, {}, {0, 0, 0}
        local dated = {}

        local function bury(err, key, field, value)
          local reason
          if string.find(err, 'WRONGTYPE', 1, true) then reason = 1
          elseif string.find(err, 'would overflow', 1, true) then reason = 2
          elseif string.find(err, 'hash value is not an integer', 1, true) then reason = 3
          else error({text = err}) end
          dead[reason] = dead[reason] + 1
          call('LPUSH', K[2], reason .. ' ' .. now .. ' ' .. key .. ' ' .. value .. ' ' .. field)
        end

        local function write(op, key, field, value)
          if op == '+' then return try('HINCRBY', key, field, value) end
          if op == 'n' then return try('HSETNX', key, field, value) end
          return try('ZADD', key, 0, field)
        end

        local function apply()
          local at = 5
          for group = 1, groups do
            local once, entries, fresh = tonumber(A[at]), tonumber(A[at + 2]), true
            if once > 0 then
              local set = try('SET', K[once], 1, 'NX', 'EX', A[at + 1])
              if type(set) == 'table' and set.err then error({text = set.err}) end
              if not set then
                fresh = false
                used[#used + 1] = group
              end
            end
            at = at + 3
            for _ = 1, entries do
              local key, expiry, op, items = K[tonumber(A[at])], tonumber(A[at + 1]), A[at + 2], tonumber(A[at + 3])
              local first = at + 4
              at = first + 2 * items
              if fresh and expiry ~= 0 and expiry <= now then
                expired = expired + items
              elseif fresh and items > 0 then
                -- A key that is new has a new first field: that is when HINCRBY answers just what it added and
                -- HSETNX and ZADD answer 1. So one look an entry keeps every key from living without its expiry.
                local field, value = A[first], A[first + 1]
                local answer = write(op, key, field, value)
                local buried = dead[1] + dead[2] + dead[3]
                if type(answer) == 'table' then
                  bury(answer.err, key, field, value)
                elseif expiry ~= 0 and not dated[key] and answer == (op == '+' and tonumber(value) or 1) then
                  call('EXPIREAT', key, expiry)
                  dated[key] = true
                end
                if op == '+' then
                  for i = first + 2, at - 1, 2 do
                    answer = try('HINCRBY', key, A[i], A[i + 1])
                    if type(answer) == 'table' then bury(answer.err, key, A[i], A[i + 1]) end
                  end
                else
                  for i = first + 2, at - 1, 2 do
                    answer = write(op, key, A[i], A[i + 1])
                    if type(answer) == 'table' then bury(answer.err, key, A[i], A[i + 1]) end
                  end
                end
                applied = applied + items - (dead[1] + dead[2] + dead[3] - buried)
              end
            end
          end
          if dead[1] + dead[2] + dead[3] > 0 then call('LTRIM', K[2], 0, \(deadLetterLimit - 1)) end
        end

        local whole, problem = pcall(apply)
        if not whole then
          if type(problem) == 'table' then problem = problem.text or problem.err end
          return {'partial', tostring(problem)}
        end
        return {'applied', applied, expired, dead[1], dead[2], dead[3], used}
        """
}
