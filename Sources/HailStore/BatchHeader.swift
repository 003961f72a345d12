package import HailCore

/// Which batch: the agent that numbered it, the shard, the number.
package struct BatchIdentity: Hashable, Sendable {
    package let agent: Digest
    package let shard: Shard
    package let sequence: UInt64

    package init(agent: Digest, shard: Shard, sequence: UInt64) {
        self.agent = agent
        self.shard = shard
        self.sequence = sequence
    }
}

/// What is kept of a batch in memory while its bytes may be on disk.
package struct BatchHeader: Equatable, Sendable {
    package let identity: BatchIdentity
    package let cellCount: Int
    /// Windows of which the batch brings the last for its shard.
    package let covers: [UInt64]
    /// `Batch.isPlain`: it goes by transaction.
    package let isPlain: Bool

    package init(identity: BatchIdentity, cellCount: Int, covers: [UInt64], isPlain: Bool) {
        self.identity = identity
        self.cellCount = cellCount
        self.covers = covers
        self.isPlain = isPlain
    }

    package init(_ batch: Batch) {
        self.init(
            identity: BatchIdentity(agent: batch.agent, shard: batch.shard, sequence: batch.sequence),
            cellCount: Int(batch.cellCount), covers: batch.covers, isPlain: batch.isPlain)
    }

    package init(_ batch: EncodedBatch) {
        self.init(
            identity: BatchIdentity(agent: batch.agent, shard: batch.shard, sequence: batch.sequence),
            cellCount: batch.cellCount, covers: batch.covers, isPlain: batch.isPlain)
    }

    package var shard: Shard { identity.shard }
}
