/// The cells of one shard under one sequence number.
///
/// Once numbered it never changes: it is kept, sent, and sent again as the same bytes. `protocol/redis.md` describes
/// them and `protocol/vectors/batch.json` has examples.
package struct Batch: Equatable, Sendable {
    package static let version: UInt8 = 2
    /// Older bytes that are still read: their entries do not say whether a key may be new, so that any may.
    package static let versionWithoutMarks: UInt8 = 1

    package var shard: Shard
    /// The agent that numbered the batch; random per start.
    package var agent: Digest
    /// From 1, without gaps, per agent and shard.
    package var sequence: UInt64
    /// Cells it carries; a whole part and its millionths are one cell, names are none.
    package var cellCount: UInt32
    /// The windows of which this batch brings the last of what they hold for the shard.
    package var covers: [UInt64]
    package var groups: [BatchGroup]

    package init(
        shard: Shard, agent: Digest, sequence: UInt64, cellCount: UInt32, covers: [UInt64], groups: [BatchGroup]
    ) {
        self.shard = shard
        self.agent = agent
        self.sequence = sequence
        self.cellCount = cellCount
        self.covers = covers
        self.groups = groups
    }

    /// The batch as bytes; integers are big-endian.
    package var encoded: [UInt8] {
        var out = ByteWriter()
        Batch.encodeHead(
            shard: shard, agent: agent, sequence: sequence, cellCount: cellCount, covers: covers, to: &out)
        out.put(UInt16(groups.count))
        for group in groups {
            out.put(UInt8(group.condition == nil ? 0 : 1))
            if let condition = group.condition {
                out.put(condition.onceID)
                out.put(condition.keptSeconds)
            }
            out.put(UInt32(group.entries.count))
            for entry in group.entries { Batch.encode(entry, to: &out) }
        }
        return out.bytes
    }

    /// What comes before the groups.
    static func encodeHead(
        shard: Shard, agent: Digest, sequence: UInt64, cellCount: UInt32, covers: [UInt64], to out: inout ByteWriter
    ) {
        out.put(Batch.version)
        out.put(shard.number)
        out.put(agent)
        out.put(sequence)
        out.put(cellCount)
        out.put(UInt32(covers.count))
        for window in covers { out.put(window) }
    }

    private static func encode(_ entry: BatchEntry, to out: inout ByteWriter) {
        out.put(entry.letter)
        out.put(entry.digest)
        out.put(entry.widthSeconds)
        out.put(UInt64(bitPattern: entry.chunk))
        out.put(entry.page)
        out.put(entry.expirySeconds)
        out.put(entry.operation.rawValue)
        out.put(UInt8(entry.mayBeNew ? 1 : 0))
        out.put(UInt32(entry.items.count))
        for item in entry.items {
            out.put(UInt16(item.field.count))
            out.put(item.field)
            out.put(UInt64(bitPattern: item.value))
        }
    }

    /// Whether a transaction can do all of it: nothing has a condition, and every operation is plain.
    package var isPlain: Bool {
        groups.allSatisfy { $0.condition == nil && $0.entries.allSatisfy(\.operation.isPlain) }
    }

    /// Reads what `encoded` wrote, now or in an older version; nil for anything else.
    package init?(decoding bytes: ArraySlice<UInt8>) {
        var input = ByteReader(bytes)
        guard let version = input.uint8(), version == Batch.version || version == Batch.versionWithoutMarks,
            let shard = input.uint8(), let agent = input.digest(),
            let sequence = input.uint64(), let cellCount = input.uint32(),
            let coverCount = input.uint32(), Int(coverCount) <= input.remaining / 8
        else { return nil }
        var covers: [UInt64] = []
        for _ in 0..<coverCount {
            guard let window = input.uint64() else { return nil }
            covers.append(window)
        }
        guard let groupCount = input.uint16() else { return nil }
        var groups: [BatchGroup] = []
        for _ in 0..<groupCount {
            guard let group = Batch.decodeGroup(&input, hasMarks: version == Batch.version) else { return nil }
            groups.append(group)
        }
        guard input.remaining == 0 else { return nil }
        self.init(
            shard: Shard(shard), agent: agent, sequence: sequence, cellCount: cellCount, covers: covers,
            groups: groups)
    }

    private static func decodeGroup(_ input: inout ByteReader, hasMarks: Bool) -> BatchGroup? {
        guard let mark = input.uint8(), mark <= 1 else { return nil }
        var group = BatchGroup(condition: nil, entries: [])
        if mark == 1 {
            guard let onceID = input.digest(), let kept = input.uint32() else { return nil }
            group.condition = BatchGroup.Condition(onceID: onceID, keptSeconds: kept)
        }
        guard let entryCount = input.uint32(), Int(entryCount) <= input.remaining else { return nil }
        for _ in 0..<entryCount {
            guard let entry = decodeEntry(&input, hasMarks: hasMarks) else { return nil }
            group.entries.append(entry)
        }
        return group
    }

    private static func decodeEntry(_ input: inout ByteReader, hasMarks: Bool) -> BatchEntry? {
        guard let letter = input.uint8(), let digest = input.digest(), let width = input.uint32(),
            let chunk = input.uint64(), let page = input.uint8(), let expiry = input.uint64(),
            let code = input.uint8(), let operation = BatchEntry.Operation(rawValue: code),
            let mark = hasMarks ? input.uint8() : 1, mark <= 1,
            let itemCount = input.uint32(), Int(itemCount) <= input.remaining / 10
        else { return nil }
        var items: [BatchEntry.Item] = []
        items.reserveCapacity(Int(itemCount))
        for _ in 0..<itemCount {
            guard let length = input.uint16(), let field = input.bytes(Int(length)), let value = input.uint64()
            else { return nil }
            items.append(BatchEntry.Item(field: field, value: Int64(bitPattern: value)))
        }
        return BatchEntry(
            letter: letter, digest: digest, widthSeconds: width, chunk: Int64(bitPattern: chunk), page: page,
            expirySeconds: expiry, operation: operation, mayBeNew: mark == 1, items: items)
    }
}
