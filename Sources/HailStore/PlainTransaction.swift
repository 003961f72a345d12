import HailCore

/// Plain batches on their way into the store as one transaction: its commands, and what their answers mean.
///
/// Confined to the queue of `StoreWriter`. The commands are made straight from the batches' bytes.
final class PlainTransaction {
    /// Commands that one transaction should carry: readers wait behind all of it.
    static let commandLimit = 4_400

    /// What a command wants.
    enum Purpose {
        /// Apply the batch.
        case apply
        /// Say the expiry of every key of a batch that the store has.
        case date
    }

    /// One batch in it.
    struct Part {
        let lane: Deliveries.Lane
        let header: BatchHeader
        let mode: FlushScript.Mode
        var steps: Range<Int>
    }

    /// One command in it.
    private struct Step {
        /// Where the command starts.
        let offset: UInt32
        /// The place of its entry's expiry if an answer of `added` says that the key may be new, against all that was
        /// known; else -1.
        let expiry: Int32
        let added: Int64
    }

    private var buffer = CommandBuffer()
    private var steps: [Step] = []
    private var expiries: [UInt64] = []
    private(set) var parts: [Part] = []
    /// Places of `steps` whose keys want their expiry said.
    private var undated: [Int] = []
    /// What could not be added, and why.
    private var dead: [(step: Int, reason: DeadReason)] = []
    /// Errors that no rule names.
    private var broken: [(step: Int, text: String)] = []

    var isEmpty: Bool { parts.isEmpty }
    var commandCount: Int { steps.count }
    var bytes: UnsafeRawBufferPointer { buffer.bytes }

    /// The first batch of each shard in it.
    var heads: [Part] {
        var heads: [Part] = []
        for part in parts where heads.last?.lane != part.lane { heads.append(part) }
        return heads
    }

    func removeAll() {
        buffer.truncate(to: 0)
        steps.removeAll(keepingCapacity: true)
        expiries.removeAll(keepingCapacity: true)
        parts.removeAll(keepingCapacity: true)
        undated.removeAll(keepingCapacity: true)
        dead.removeAll(keepingCapacity: true)
        broken.removeAll(keepingCapacity: true)
    }

    // MARK: Commands

    /// Adds a batch behind those of the same shard.
    ///
    /// - Returns: false if the bytes are not those of a plain batch; then nothing was added.
    func add(
        _ encoded: [UInt8], _ item: ShardDelivery.Item, _ mode: FlushScript.Mode, lane: Deliveries.Lane,
        purpose: Purpose = .apply
    ) -> Bool {
        let first = (buffer.count, steps.count, expiries.count)
        let isRead = encoded.withUnsafeBytes { raw in
            write(RawReader(raw), shard: lane.shard, purpose, isEveryKeyDated: item.wasSent || purpose == .date)
        }
        guard isRead else {
            buffer.truncate(to: first.0)
            steps.removeSubrange(first.1...)
            expiries.removeSubrange(first.2...)
            return false
        }
        parts.append(Part(lane: lane, header: item.header, mode: mode, steps: first.1..<steps.count))
        return true
    }

    /// Sets the guard of the shard that was added last to the number of its last batch.
    func closeShard() {
        guard let last = parts.last else { return }
        let key = StoreKey.guardKey(shard: last.lane.shard, agent: last.lane.agent)
        buffer.reserve(key.count + 120)
        note(expiry: -1, added: 0)
        buffer.append("*5\r\n$3\r\nSET\r\n")
        buffer.append(argument: key)
        buffer.append(argument: Int64(clamping: last.header.identity.sequence))
        buffer.append("$2\r\nEX\r\n")
        buffer.append(argument: FlushScript.guardSeconds)
    }

    /// Ends the transaction.
    func closeAll() {
        buffer.reserve(20)
        buffer.append("*1\r\n$4\r\nEXEC\r\n")
    }

    /// What is sent before it: from here on a guard that changes undoes it, and nothing is done before its end.
    func opening(into look: inout CommandBuffer) {
        look.truncate(to: 0)
        let keys = heads.map { StoreKey.guardKey(shard: $0.lane.shard, agent: $0.lane.agent) }
        look.reserve(100 + keys.count * 160)
        look.appendLine(UInt8(ascii: "*"), keys.count + 1)
        look.append("$5\r\nWATCH\r\n")
        for key in keys { look.append(argument: key) }
        look.appendLine(UInt8(ascii: "*"), keys.count + 1)
        look.append("$4\r\nMGET\r\n")
        for key in keys { look.append(argument: key) }
        look.append("*1\r\n$5\r\nMULTI\r\n")
    }

    private func note(expiry: Int32, added: Int64) {
        steps.append(Step(offset: UInt32(truncatingIfNeeded: buffer.count), expiry: expiry, added: added))
    }

    private func write(_ input: RawReader, shard: Shard, _ purpose: Purpose, isEveryKeyDated: Bool) -> Bool {
        var input = input
        guard let version = input.next(UInt8.self), version == Batch.version || version == Batch.versionWithoutMarks,
            input.next(UInt8.self) == shard.number, input.next(bytes: 28) != nil,
            let covers = input.next(UInt32.self), input.next(bytes: Int(covers) * 8) != nil,
            let groups = input.next(UInt16.self)
        else { return false }
        let prefix = StoreKey.prefix(of: shard)
        for _ in 0..<groups {
            guard input.next(UInt8.self) == 0, let entries = input.next(UInt32.self) else { return false }
            for _ in 0..<entries {
                guard
                    writeEntry(
                        &input, prefix, purpose, hasMarks: version == Batch.version, isDated: isEveryKeyDated)
                else { return false }
            }
        }
        return input.isAtEnd
    }

    private func writeEntry(
        _ input: inout RawReader, _ prefix: [UInt8], _ purpose: Purpose, hasMarks: Bool, isDated: Bool
    ) -> Bool {
        guard let letter = input.next(UInt8.self), let high = input.next(UInt64.self), let low = input.next(UInt64.self),
            let width = input.next(UInt32.self), let chunk = input.next(UInt64.self), let page = input.next(UInt8.self),
            let expiry = input.next(UInt64.self), let code = input.next(UInt8.self),
            let operation = BatchEntry.Operation(rawValue: code), operation.isPlain,
            let mark = hasMarks ? input.next(UInt8.self) : 1, let items = input.next(UInt32.self)
        else { return false }
        let key = ChunkKey(
            prefix: prefix, letter: letter, digest: Digest(high: high, low: low), width: width,
            chunk: Int64(bitPattern: chunk), page: page)
        let isDated = isDated || mark != 0 || operation == .name
        // An answer tells something only where a key has an expiry that is not said anyway.
        let expiryPlace: Int32 = expiry != 0 && !isDated ? Int32(expiries.count) : -1
        if expiryPlace >= 0 { expiries.append(expiry) }
        if purpose == .apply, operation == .name, items > 0 {
            // Names all hold the same, so one command says them; a key that is new answers with all of them.
            buffer.reserve(240)
            note(expiry: expiryPlace, added: Int64(items))
            buffer.appendLine(UInt8(ascii: "*"), 2 + 2 * Int(items))
            buffer.append("$4\r\nHSET\r\n")
            key.append(to: &buffer)
        }
        var head: Range<Int>?
        for _ in 0..<items {
            guard let length = input.next(UInt16.self), let field = input.next(bytes: Int(length)),
                let bits = input.next(UInt64.self)
            else { return false }
            guard purpose == .apply else { continue }
            let value = Int64(bitPattern: bits)
            buffer.reserve(field.count + 240)
            if operation == .name {
                buffer.append(argument: field)
                buffer.append(argument: value)
                continue
            }
            note(expiry: expiryPlace, added: value)
            if let head {
                buffer.appendAgain(head)
            } else {
                let start = buffer.count
                buffer.append(operation == .child ? "*4\r\n$4\r\nZADD\r\n" : "*4\r\n$7\r\nHINCRBY\r\n")
                key.append(to: &buffer)
                head = start..<buffer.count
            }
            if operation == .child {
                buffer.append("$1\r\n0\r\n")
                buffer.append(argument: field)
            } else {
                buffer.append(argument: field)
                buffer.append(argument: value)
            }
        }
        if expiry != 0, items > 0, isDated {
            buffer.reserve(240)
            note(expiry: -1, added: 0)
            buffer.append("*4\r\n$8\r\nEXPIREAT\r\n")
            key.append(to: &buffer)
            PlainTransaction.appendExpiry(expiry, to: &buffer)
        }
        return true
    }

    /// `NX`: what another agent said first stays, and a key that has its expiry costs the store no write.
    private static func appendExpiry(_ expiry: UInt64, to buffer: inout CommandBuffer) {
        buffer.append(argument: Int64(clamping: expiry))
        buffer.append("$2\r\nNX\r\n")
    }

    // MARK: Answers

    /// Takes the answer to the command at `place`, in their order.
    func take(_ line: ReplyStream.Line, at place: Int) {
        switch line {
        case .integer(let number):
            let step = steps[place]
            if step.expiry >= 0, number == step.added { undated.append(place) }
        case .error(let text):
            if let reason = DeadReason(errorText: text) {
                dead.append((place, reason))
            } else {
                broken.append((place, text))
            }
        case .status: break
        case .string, .array: broken.append((place, "an answer that makes no sense"))
        }
    }

    /// What one batch came to.
    func reply(for part: Part) -> FlushReply {
        if let first = broken.first(where: { part.steps.contains($0.step) }) { return .partial("partial: " + first.text) }
        var reasons: [DeadReason: Int] = [:]
        for (step, reason) in dead where part.steps.contains(step) { reasons[reason, default: 0] += 1 }
        let written = part.steps.count - reasons.values.reduce(0, +)
        return .applied(FlushTally(writtenFields: written, expiredFields: 0, deadByReason: reasons, usedGroups: []))
    }

    /// Says the expiry of keys that turned out to be new.
    func datingCommands() -> [RedisCommand] {
        var last: Int32 = -1
        var commands: [RedisCommand] = []
        for place in undated where steps[place].expiry != last {
            last = steps[place].expiry
            let key = arguments(of: place)[1]
            commands.append(
                RedisCommand([
                    Array("EXPIREAT".utf8), key, Array("\(expiries[Int(last)])".utf8), Array("NX".utf8),
                ]))
        }
        return commands
    }

    /// Puts what could not be added on the lists of their shards.
    func burialCommands(nowSeconds: Int64) -> [RedisCommand] {
        var commands: [RedisCommand] = []
        var lists: Set<[UInt8]> = []
        for (place, reason) in dead {
            guard let part = parts.first(where: { $0.steps.contains(place) }) else { continue }
            let words = arguments(of: place)
            // The score of what a sorted set was to take stands before the name.
            let isChild = words[0] == Array("ZADD".utf8)
            let (field, value) = isChild ? (words[3], words[2]) : (words[2], words[3])
            let list = StoreKey.deadLetters(shard: part.lane.shard)
            lists.insert(list)
            let space = [UInt8(ascii: " ")]
            let record = Array("\(reason.number) \(nowSeconds) ".utf8) + words[1] + space + value + space + field
            commands.append(RedisCommand([Array("LPUSH".utf8), list, record]))
        }
        for list in lists {
            commands.append(
                RedisCommand([
                    Array("LTRIM".utf8), list, Array("0".utf8), Array("\(FlushScript.deadLetterLimit - 1)".utf8),
                ]))
        }
        return commands
    }

    /// The words of the command at `place`, read back from its bytes.
    private func arguments(of place: Int) -> [[UInt8]] {
        let bytes = buffer.bytes
        var at = Int(steps[place].offset)
        func number() -> Int {
            var value = 0
            at += 1
            while bytes[at] != UInt8(ascii: "\r") {
                value = value * 10 + Int(bytes[at] - UInt8(ascii: "0"))
                at += 1
            }
            at += 2
            return value
        }
        return (0..<number()).map { _ in
            let length = number()
            defer { at += length + 2 }
            return Array(bytes[at..<(at + length)])
        }
    }
}
