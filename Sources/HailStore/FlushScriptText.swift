import HailCore

/// The flush script as the store gets it, in the Lua (5.1) that the store runs.
///
/// `protocol/redis.md` publishes what it takes and answers.
enum FlushScriptText {
    static let lua = """
        #!lua
        local K, A = KEYS, ARGV
        local call, try, type = redis.call, redis.pcall, type
        local find, match, format = string.find, string.match, string.format

        local function count(text)
          local n = tonumber(text)
          if n and n >= 0 and n % 1 == 0 then return n end
        end

        -- 1. The shape of the arguments, before anything is written.
        local seq, mode, ttl, groups = count(A[1]), A[2], count(A[3]), count(A[4])
        if not (seq and seq > 0 and ttl and ttl > 0 and groups and (mode == '' or mode == 'reverted') and #K >= 2) then
          return {'malformed', 'head'}
        end

        -- What each operation but the counters' asks of its items, which lie from first to last in the arguments, two
        -- places each. Most calls bring counters alone, so it is made when first asked for; so are the writers below.
        local fields, decimals, is_moving, checks, writers

        local function make_checks()
          fields, decimals = {}, {}

          local function anything() return true end

          local function whole(first, last)
            for i = first + 1, last, 2 do
              if not find(A[i], '^%-?%d+$') then return false end
            end
            return true
          end

          -- FIELD DECIMAL, cut at the last space; the halves are kept for when they are written.
          local function decimal(first, last)
            for i = first, last, 2 do
              local field, text = match(A[i], '^(.+) ([-+.%deE]+)$')
              local n = field and tonumber(text)
              if not n or n - n ~= 0 then return false end
              fields[i], decimals[i] = field, text
            end
            return true
          end

          local function dated_decimal(first, last) return whole(first, last) and decimal(first, last) end

          checks = {
            n = anything, z = anything, f = decimal, ['<'] = whole, ['>'] = whole, ['='] = dated_decimal,
            ['~'] = function(first, last, _, expiry)
              is_moving = true
              return last == first + 1 and expiry == 0 and dated_decimal(first, last)
            end,
            m = function(first, last)
              for i = first, last, 2 do
                if find(A[i], ' ', 1, true) then return false end
              end
              return is_moving and whole(first, last)
            end,
            s = function(first, last, key)
              for i = first, last, 2 do
                if #A[i] ~= 8 then return false end
              end
              return key + \(SetCell.quarters) <= #K
            end,
          }
          return checks
        end

        local at, keys, last_arg = 5, #K, #A
        for _ = 1, groups do
          local once, kept, entries = count(A[at]), count(A[at + 1]), count(A[at + 2])
          if not (once and kept and entries) or once > keys or (once > 0 and kept < 1) then
            return {'malformed', 'group at ' .. at}
          end
          at = at + 3
          is_moving = false
          for _ = 1, entries do
            local key, expiry, op, items = count(A[at]), count(A[at + 1]), A[at + 2], count(A[at + 3])
            if not (key and expiry and items) or key < 3 or key > keys
              or not (op == '+' or (checks or make_checks())[op]) then
              return {'malformed', 'entry at ' .. at}
            end
            local first = at + 4
            at = first + 2 * items
            if at > last_arg + 1 then return {'malformed', 'items'} end
            if op ~= '+' and not checks[op](first, at - 1, key, expiry) then
              return {'malformed', 'items at ' .. first}
            end
          end
        end
        if at ~= last_arg + 1 then return {'malformed', 'length'} end

        -- 2. The guard.
        local seen = try('GET', K[1])
        local last = 0
        if seen then
          last = count(seen)
          if not last then return {'malformed', 'the guard does not read'} end
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

        local no_number, infinite = 'hash value is not a number', 'NaN or Infinity'

        local function bury(err, key, field, value)
          local reason
          local reasons = {
            WRONGTYPE = 1, INVALIDOBJ = 1, ['would overflow'] = 2, [infinite] = 2, ['hash value is not'] = 3,
          }
          for text, number in pairs(reasons) do
            if find(err, text, 1, true) then reason = number end
          end
          if not reason then error({text = err}) end
          dead[reason] = dead[reason] + 1
          call('LPUSH', K[2], reason .. ' ' .. now .. ' ' .. key .. ' ' .. value .. ' ' .. field)
        end

        -- How each operation but the counters' is written. Each writer answers whether the key may be new.
        local function make_writers()
          -- Doubles run together beyond 2^53; where two are equal, the digits tell.
          local function is_greater(a, b)
            local x, y = tonumber(a), tonumber(b)
            if x ~= y or a == b then return x > y end
            if #a ~= #b then return (#a > #b) == (x > 0) end
            return (a > b) == (x > 0)
          end

          local function extreme(gives_way)
            return function(key, first, last)
              local is_new = false
              for i = first, last, 2 do
                local field, value = A[i], A[i + 1]
                local held = try('HGET', key, field)
                if not held then
                  call('HSET', key, field, value)
                  is_new = is_new or i == first
                elseif type(held) == 'table' then
                  bury(held.err, key, field, value)
                elseif held ~= value then
                  if not find(held, '^%-?%d+$') then
                    bury(no_number, key, field, value)
                  elseif gives_way(held, value) then
                    call('HSET', key, field, value)
                  end
                end
              end
              return is_new
            end
          end

          local function gauge(held)
            local value, millis = match(held, '^([-+.%deE]+) (%-?%d+)$')
            return value and tonumber(value), value, tonumber(millis)
          end

          -- What the last move found and left in the all-time cell, or the error it met.
          local move = {}

          local function put(key, i, field, text, found, left)
            local millis = A[i + 1]
            local held = try('HGET', key, field)
            if not held then
              call('HSET', key, field, text .. ' ' .. millis)
              return true
            end
            if type(held) == 'table' then
              bury(held.err, key, A[i], millis)
              return false
            end
            if held == found then
              call('HSET', key, field, left)
              return false
            end
            local old, old_text, old_millis = gauge(held)
            if not old then
              bury(no_number, key, A[i], millis)
              return false
            end
            local new, time = tonumber(text), tonumber(millis)
            -- Equal numbers in other digits: any rule does, if it does not ask which came first.
            if time > old_millis or time == old_millis and (new > old or new == old and text > old_text) then
              call('HSET', key, field, text .. ' ' .. millis)
            end
            return false
          end

          -- The shortest digits that read back as the same double.
          local function shortest(n)
            if n == 0 then return '0' end
            for digits = 15, 16 do
              local text = format('%.' .. digits .. 'g', n)
              if tonumber(text) == n then return text end
            end
            return format('%.17g', n)
          end

          -- Calls a command with members, not too many at once; an error buries those it was for.
          local function feed(command, key, members)
            local sum = 0
            for from = 1, #members, 1000 do
              local to = math.min(from + 999, #members)
              local answer = try(command, key, unpack(members, from, to))
              if type(answer) == 'table' then
                for i = from, to do bury(answer.err, key, members[i], 0) end
              else
                sum = sum + answer
              end
            end
            return sum
          end

          local function each(write)
            return function(key, first, last)
              local is_new = false
              for i = first, last, 2 do
                local answer = write(key, A[i], A[i + 1])
                if type(answer) == 'table' then
                  bury(answer.err, key, A[i], A[i + 1])
                elseif i == first then
                  is_new = answer == 1
                end
              end
              return is_new
            end
          end

          return {
            n = each(function(key, field, value) return try('HSETNX', key, field, value) end),
            z = each(function(key, field) return try('ZADD', key, 0, field) end),
            ['<'] = extreme(is_greater),
            ['>'] = extreme(function(held, value) return is_greater(value, held) end),
            f = function(key, first, last, _, expiry)
              local is_hash = false
              for i = first, last, 2 do
                local answer = try('HINCRBYFLOAT', key, fields[i], decimals[i])
                if type(answer) == 'table' then bury(answer.err, key, A[i], A[i + 1]) else is_hash = true end
              end
              -- The answer is rounded, so it does not tell what was there before.
              return is_hash and expiry ~= 0 and not dated[key] and call('HLEN', key) <= (last - first + 1) / 2
            end,
            ['='] = function(key, first, last)
              local is_new = false
              for i = first, last, 2 do
                local was_empty = put(key, i, fields[i], decimals[i])
                is_new = is_new or was_empty and i == first
              end
              return is_new
            end,
            ['~'] = function(key, i)
              local held = try('HGET', key, fields[i])
              local sum, millis, err = tonumber(decimals[i]), A[i + 1], nil
              if type(held) == 'table' then
                err = held.err
              elseif held then
                local old, _, old_millis = gauge(held)
                if old then
                  sum = old + sum
                  if old_millis > tonumber(millis) then millis = format('%.0f', old_millis) end
                  if sum - sum ~= 0 then err = infinite end
                else
                  err = no_number
                end
              end
              if err then
                move = {err = err}
                bury(err, key, A[i], A[i + 1])
                return false
              end
              -- So that 0.1 and 0.2 are 0.3; above, a double has no room for millionths.
              if sum > -9e9 and sum < 9e9 then sum = math.floor(sum * 1e6 + 0.5) / 1e6 end
              local text = shortest(sum)
              move = {text = text, found = held, left = text .. ' ' .. millis}
              call('HSET', key, fields[i], move.left)
              return not held
            end,
            m = function(key, first, last)
              local is_new = false
              for i = first, last, 2 do
                if move.err then
                  bury(move.err, key, A[i], A[i + 1])
                else
                  local was_empty = put(key, i, A[i], move.text, move.found, move.left)
                  is_new = is_new or was_empty and i == first
                end
              end
              return is_new
            end,
            s = function(key, first, last, place, expiry)
              local there = call('EXISTS', K[place + 1], K[place + 2], K[place + 3], K[place + 4])
              local members = {}
              for i = first, last, 2 do members[#members + 1] = A[i] end
              if there == 0 then
                local added = feed('SADD', key, members)
                if added == 0 then return false end
                local held = call('SCARD', key)
                if held <= \(SetCell.exactMembers) then return held == added end
                members = call('SMEMBERS', key)
                call('DEL', key)
              end
              -- The first two bits of a member number its quarter.
              local quarters = {{}, {}, {}, {}}
              for i = 1, #members do
                local quarter = quarters[1 + math.floor(string.byte(members[i]) / 64)]
                quarter[#quarter + 1] = members[i]
              end
              for number = 1, \(SetCell.quarters) do
                if #quarters[number] > 0 then
                  feed('PFADD', K[place + number], quarters[number])
                  if there < \(SetCell.quarters) and expiry ~= 0 then call('EXPIREAT', K[place + number], expiry) end
                end
              end
              return false
            end,
          }
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
              local place, expiry, op, items = tonumber(A[at]), tonumber(A[at + 1]), A[at + 2], tonumber(A[at + 3])
              local key, first = K[place], at + 4
              at = first + 2 * items
              if fresh and expiry ~= 0 and expiry <= now then
                expired = expired + items
              elseif fresh and items > 0 then
                -- A key that is new has a new first field: for one, HINCRBY then answers just what it added. So one
                -- look an entry keeps every key from living without its expiry.
                local buried, is_new = dead[1] + dead[2] + dead[3], false
                if op == '+' then
                  local field, value = A[first], A[first + 1]
                  local answer = try('HINCRBY', key, field, value)
                  if type(answer) == 'table' then
                    bury(answer.err, key, field, value)
                  else
                    is_new = answer == tonumber(value)
                  end
                  for i = first + 2, at - 1, 2 do
                    answer = try('HINCRBY', key, A[i], A[i + 1])
                    if type(answer) == 'table' then bury(answer.err, key, A[i], A[i + 1]) end
                  end
                else
                  writers = writers or make_writers()
                  is_new = writers[op](key, first, at - 1, place, expiry)
                end
                if is_new and expiry ~= 0 and not dated[key] then
                  call('EXPIREAT', key, expiry)
                  dated[key] = true
                end
                applied = applied + items - (dead[1] + dead[2] + dead[3] - buried)
              end
            end
          end
          if dead[1] + dead[2] + dead[3] > 0 then call('LTRIM', K[2], 0, \(FlushScript.deadLetterLimit - 1)) end
        end

        local whole, problem = pcall(apply)
        if not whole then
          if type(problem) == 'table' then problem = problem.text or problem.err end
          try('LPUSH', K[2], '4 ' .. now .. ' ' .. K[1] .. ' ' .. seq .. ' ' .. tostring(problem))
          return {'partial', tostring(problem)}
        end
        return {'applied', applied, expired, dead[1], dead[2], dead[3], used}
        """
}
