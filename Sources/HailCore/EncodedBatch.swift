/// A numbered batch as the bytes that are kept and sent, and what has to be known of them without reading them.
package struct EncodedBatch: Equatable, Sendable {
    package let shard: Shard
    package let agent: Digest
    package let sequence: UInt64
    package let cellCount: Int
    package let covers: [UInt64]
    /// `Batch.isPlain`.
    package let isPlain: Bool
    /// The conditions of its groups.
    package let conditions: [BatchGroup.Condition?]
    /// `Batch.encoded`.
    package let bytes: [UInt8]

    package init(_ batch: Batch) {
        shard = batch.shard
        agent = batch.agent
        sequence = batch.sequence
        cellCount = Int(batch.cellCount)
        covers = batch.covers
        isPlain = batch.isPlain
        conditions = batch.groups.map(\.condition)
        bytes = batch.encoded
    }

    /// A plain batch of one group.
    ///
    /// - Parameter entries: the entries' bytes, one behind the other.
    package init(
        shard: Shard, agent: Digest, sequence: UInt64, cellCount: Int, covers: [UInt64], entryCount: Int,
        entries: UnsafeRawBufferPointer
    ) {
        self.shard = shard
        self.agent = agent
        self.sequence = sequence
        self.cellCount = cellCount
        self.covers = covers
        isPlain = true
        conditions = entryCount == 0 ? [] : [nil]
        var out = ByteWriter()
        out.reserve(64 + 8 * covers.count + entries.count)
        Batch.encodeHead(
            shard: shard, agent: agent, sequence: sequence, cellCount: UInt32(cellCount), covers: covers, to: &out)
        out.put(UInt16(conditions.count))
        if entryCount > 0 {
            out.put(UInt8(0))
            out.put(UInt32(entryCount))
            out.put(entries)
        }
        bytes = out.bytes
    }
}
