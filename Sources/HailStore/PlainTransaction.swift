import HailCore

/// Plain batches on their way into the store as one transaction: its commands, and what their answers mean.
///
/// Confined to the queue of `StoreWriter`. The commands are made straight from the batches' bytes.
final class PlainTransaction {
    /// Commands that one transaction should carry: readers wait behind all of it.
    static let commandLimit = 4_400

    /// One batch in it.
    struct Part {
        let lane: Deliveries.Lane
        let header: BatchHeader
        let mode: FlushScript.Mode
        var steps: Range<Int>
    }

    private var commands = PlainCommands()
    private(set) var parts: [Part] = []
    /// Places of `steps` whose keys want their expiry said.
    private var undated: [Int] = []
    /// What could not be added, and why.
    private var dead: [(step: Int, reason: DeadReason)] = []
    /// Errors that no rule names.
    private var broken: [(step: Int, text: String)] = []

    var isEmpty: Bool { parts.isEmpty }
    var commandCount: Int { commands.steps.count }
    var bytes: UnsafeRawBufferPointer { commands.bytes }

    /// The first batch of each shard in it.
    var heads: [Part] {
        var heads: [Part] = []
        for part in parts where heads.last?.lane != part.lane { heads.append(part) }
        return heads
    }

    func removeAll() {
        commands.removeAll()
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
        purpose: PlainCommands.Purpose = .apply
    ) -> Bool {
        let first = commands.steps.count
        let isEveryKeyDated = item.wasSent || purpose == .date
        guard commands.add(encoded, shard: lane.shard, purpose, isEveryKeyDated: isEveryKeyDated) else { return false }
        parts.append(Part(lane: lane, header: item.header, mode: mode, steps: first..<commands.steps.count))
        return true
    }

    /// Sets the guard of the shard that was added last to the number of its last batch.
    func closeShard() {
        guard let last = parts.last else { return }
        commands.addGuard(
            StoreKey.guardKey(shard: last.lane.shard, agent: last.lane.agent), number: last.header.identity.sequence)
    }

    /// Ends the transaction.
    func closeAll() { commands.end() }

    /// What is sent before it: from here on a guard that changes undoes it, and nothing is done before its end.
    func opening(into look: inout CommandBuffer) {
        look.truncate(to: 0)
        let keys = heads.map { StoreKey.guardKey(shard: $0.lane.shard, agent: $0.lane.agent) }
        look.reserve(100 + keys.count * 160)
        look.appendLine(UInt8(ascii: "*"), keys.count + 1)
        look.append("$5\r\nWATCH\r\n")
        for key in keys { look.append(argument: key) }
        // One by one: asked for together, a guard that is no text would look as if there were none.
        for key in keys {
            look.append("*2\r\n$3\r\nGET\r\n")
            look.append(argument: key)
        }
        look.append("*1\r\n$5\r\nMULTI\r\n")
    }

    // MARK: Answers

    /// Takes the answer to the command at `place`, in their order.
    func take(_ line: ReplyStream.Line, at place: Int) {
        switch line {
        case .integer(let number):
            let step = commands.steps[place]
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
        if let first = broken.first(where: { part.steps.contains($0.step) }) {
            return .partial("partial: " + first.text)
        }
        var reasons: [DeadReason: Int] = [:]
        for (step, reason) in dead where part.steps.contains(step) { reasons[reason, default: 0] += 1 }
        let written = part.steps.count - reasons.values.reduce(0, +)
        return .applied(FlushTally(writtenFields: written, expiredFields: 0, deadByReason: reasons, usedGroups: []))
    }

    /// Says the expiry of keys that turned out to be new.
    func datingCommands() -> [RedisCommand] {
        var last: Int32 = -1
        var dating: [RedisCommand] = []
        for place in undated where commands.steps[place].expiry != last {
            last = commands.steps[place].expiry
            let key = commands.words(of: place)[1]
            dating.append(
                RedisCommand([
                    Array("EXPIREAT".utf8), key, Array("\(commands.expiries[Int(last)])".utf8), Array("NX".utf8),
                ]))
        }
        return dating
    }

    /// Puts what could not be added on the lists of their shards.
    func burialCommands(nowSeconds: Int64) -> [RedisCommand] {
        var burials: [RedisCommand] = []
        var lists: Set<[UInt8]> = []
        for (place, reason) in dead {
            guard let part = parts.first(where: { $0.steps.contains(place) }) else { continue }
            let words = commands.words(of: place)
            // The score of what a sorted set was to take stands before the name.
            let isChild = words[0] == Array("ZADD".utf8)
            let (field, value) = isChild ? (words[3], words[2]) : (words[2], words[3])
            let list = StoreKey.deadLetters(shard: part.lane.shard)
            lists.insert(list)
            let space = [UInt8(ascii: " ")]
            let record = Array("\(reason.number) \(nowSeconds) ".utf8) + words[1] + space + value + space + field
            burials.append(RedisCommand([Array("LPUSH".utf8), list, record]))
        }
        for list in lists {
            burials.append(
                RedisCommand([
                    Array("LTRIM".utf8), list, Array("0".utf8), Array("\(FlushScript.deadLetterLimit - 1)".utf8),
                ]))
        }
        return burials
    }

}
