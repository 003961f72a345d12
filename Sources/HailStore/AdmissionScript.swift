import HailCore

/// The script that says which nodes are admitted in a chunk, and admits those for which there is room.
///
/// It is atomic, so that no bound is passed however many agents ask, and may be called again: who is admitted stays so.
/// `protocol/redis.md` publishes what it takes and answers.
enum AdmissionScript {
    /// The EVALSHA command for a question.
    static func command(for ask: AdmissionAsk, scriptHash: [UInt8]) -> RedisCommand {
        var keys: [[UInt8]] = []
        var arguments = 2
        // By page: the places of its keys; overflow pages by their number.
        var places: [(first: Int, counts: Int, overflow: [UInt8: Int])] = []
        for page in ask.pages {
            func key(_ letter: UInt8, _ number: UInt8 = 0) -> Int {
                keys.append(
                    StoreKey.chunk(
                        letter: letter, shard: ask.shard, digest: page.digest, widthSeconds: page.widthSeconds,
                        chunk: page.chunk, page: number))
                return keys.count
            }
            arguments += 4 + 5 * page.items.count
            let first = key(StoreKey.Letter.page)
            var overflow: [UInt8: Int] = [:]
            guard page.isWide else {
                places.append((first, 0, overflow))
                continue
            }
            let counts = key(StoreKey.Letter.counts)
            for item in page.items where overflow[item.overflowPage] == nil {
                overflow[item.overflowPage] = key(StoreKey.Letter.page, item.overflowPage)
            }
            places.append((first, counts, overflow))
        }
        var command = RedisCommand(
            argumentCount: 3 + keys.count + arguments, reservingBytes: 200 + 60 * keys.count + 20 * arguments)
        command.append("EVALSHA".utf8)
        command.append(scriptHash)
        command.append(Int64(keys.count))
        for key in keys { command.append(key) }
        command.append(Int64(ask.smallFields))
        command.append(Int64(ask.pages.count))
        for (page, place) in zip(ask.pages, places) {
            command.append(Int64(place.first))
            command.append(Int64(place.counts))
            command.append(page.expirySeconds)
            command.append(Int64(page.items.count))
            for item in page.items {
                command.append(item.name)
                command.append(Int64(place.overflow[item.overflowPage] ?? 0))
                command.append(item.counter)
                command.append(Int64(item.limit))
                command.append(Int64(item.parent.map { $0 + 1 } ?? 0))
            }
        }
        return command
    }

    /// What the script answered, by page and item; nil if it makes no sense for the question.
    static func verdicts(_ reply: StoreReply, to ask: AdmissionAsk) -> [[AdmissionAsk.Verdict]]? {
        guard case .array(let pages) = reply, pages.count == ask.pages.count else { return nil }
        var verdicts: [[AdmissionAsk.Verdict]] = []
        for (reply, page) in zip(pages, ask.pages) {
            guard case .bytes(let bytes) = reply else { return nil }
            let read = bytes.compactMap { AdmissionAsk.Verdict(rawValue: $0) }
            guard read.count == bytes.count, read.count == page.items.count else { return nil }
            verdicts.append(read)
        }
        return verdicts
    }

    static let source = """
        #!lua
        local K, A = KEYS, ARGV
        local call, try, type, number = redis.call, redis.pcall, type, tonumber
        local find, sub = string.find, string.sub
        local small, now = number(A[1]), number(call('TIME')[1])
        local answer, at = {}, 3
        local other = '\\0\(Reserved.other)'

        -- What a name counts among: dimensions, or what lies under one.
        local function counter(name)
          local cut = find(name, '%z', 2)
          return cut and 'v' .. sub(name, 2, cut - 1) or 'd'
        end

        for page = 1, number(A[2]) do
          local first, counts = K[number(A[at])], K[number(A[at + 1])]
          local expiry, items = number(A[at + 2]), number(A[at + 3])
          at = at + 4
          local said, is_past = {}, expiry ~= 0 and expiry <= now
          local length = not is_past and try('HLEN', first)

          if type(length) == 'number' and items > 0 and length + items <= small then
            -- Most pages are small: all of their names are there or find room.
            local words = {}
            for item = 1, items do
              words[2 * item - 1], words[2 * item] = A[at], 1
              at = at + 5
            end
            call('HSET', first, unpack(words))
            if length == 0 and expiry ~= 0 then call('EXPIREAT', first, expiry) end
            answer[page] = string.rep('a', items)
          else
            local function date(key, fields)
              if fields == 1 and expiry ~= 0 then call('EXPIREAT', key, expiry) end
            end

            -- The first page has every name of its chunk until it is counted; from then on names go to overflow pages.
            local function count()
              if call('EXISTS', counts) == 1 then return end
              local sums = {d = 0}
              for _, field in ipairs(call('HKEYS', first)) do
                if sub(field, 1, 1) == 'g' and sub(field, -#other) ~= other and field ~= 'g' .. sub(other, 2) then
                  local name = counter(field)
                  sums[name] = (sums[name] or 0) + 1
                end
              end
              for name, sum in pairs(sums) do call('HSET', counts, name, sum) end
              if expiry ~= 0 then call('EXPIREAT', counts, expiry) end
            end

            local function judge(name, overflow, scope, limit)
              if is_past then return 'a' end
              if type(length) == 'table' then return 'e' end
              if length < small then
                if call('HSETNX', first, name, 1) == 1 then
                  length = length + 1
                  date(first, length)
                end
                return 'a'
              end
              if call('HEXISTS', first, name) == 1 then return 'a' end
              if not counts then return 'w' end
              if call('HEXISTS', overflow, name) == 1 then return 'o' end
              count()
              if (number(call('HGET', counts, scope)) or 0) >= limit then return 'r' end
              call('HSETNX', overflow, name, 1)
              date(overflow, call('HLEN', overflow))
              call('HINCRBY', counts, scope, 1)
              return 'o'
            end

            for item = 1, items do
              local parent = said[number(A[at + 4])]
              if parent == 'r' or parent == 'w' then
                said[item] = parent
              else
                local fine, verdict = pcall(judge, A[at], K[number(A[at + 1])], A[at + 2], number(A[at + 3]))
                said[item] = fine and verdict or 'e'
              end
              at = at + 5
            end
            answer[page] = table.concat(said)
          end
        end
        return answer
        """
}
