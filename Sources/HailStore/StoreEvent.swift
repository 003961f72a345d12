package import HailCore

/// What became of batches, as `StoreWriter` tells it, in order, on its own queue.
package enum StoreEvent: Equatable, Sendable {
    /// The store has a batch.
    case acknowledged(BatchHeader, DeliveryOutcome)
    /// The store forgot this many acknowledged batches, up to and with this one, and they cannot be sent again.
    case reverted(BatchIdentity, batches: UInt64)
    /// A shard takes no more batches until the agent starts again: one was applied in part, or refused.
    case shardStopped(Shard, reason: String)
    /// A batch could not be sent, since its bytes are gone from memory and from the spool.
    case lost(BatchHeader)
    /// The store said which values are admitted.
    case judged([AdmissionAnswer])
    /// The store answers.
    case up
    case down(reason: String)
    /// Batches whose reply was lost with the connection, and that are being sent again.
    case retried(batches: Int)
    /// One round trip: how long the store took, and the cells that it carried.
    case flushed(seconds: Double, cells: Int)
}

/// How a batch came to be acknowledged.
package enum DeliveryOutcome: Equatable, Sendable {
    case applied(FlushTally)
    /// It had been applied when its reply was lost.
    case duplicate
    /// It had been acknowledged, the store went back, and it was applied again: nothing new is covered by it.
    case resent
}
