package import HailCore

/// A series that a lane met for the first time in a window.
package struct NewSeries: @unchecked Sendable {
    package let index: UInt32
    /// Lies in the lane's arena, which outlives it; written before the window was handed over, never again.
    package let identity: UnsafeBufferPointer<UInt8>
}

/// A series that went over from a lane's former table into the present one, at the next index there.
package struct CarriedSeries: @unchecked Sendable {
    /// Its index in the former table.
    package let oldIndex: UInt32
    /// As in `NewSeries`; in the arena of the present table.
    package let identity: UnsafeBufferPointer<UInt8>
}

/// What one lane gathered in one flush window, on its way to the flush queue.
package struct ClosedWindow: Sendable {
    /// Unique across lanes and restarts.
    package let id: UInt64
    package let lane: Int
    /// Counts the lane's tables: a new one begins with no series.
    package let generation: UInt64
    /// The second the window began in; it lies in one bucket of the finest resolution.
    package let startSeconds: Int64
    package let sums: WindowSums
    /// In the first window of a table: the series that it took over from the one before.
    package let carried: [CarriedSeries]
    package let newSeries: [NewSeries]
    package let arena: IdentityArena
    /// Seconds of the buckets that its times begin, where it is several that were merged; nil: of the finest resolution.
    package let widthSeconds: Int64?
    /// Set where the window counts only if a once-id is new.
    package let condition: BatchGroup.Condition?

    package init(
        id: UInt64, lane: Int, generation: UInt64, startSeconds: Int64, sums: WindowSums,
        carried: [CarriedSeries] = [], newSeries: [NewSeries], arena: IdentityArena,
        widthSeconds: Int64? = nil, condition: BatchGroup.Condition? = nil
    ) {
        self.id = id
        self.lane = lane
        self.generation = generation
        self.startSeconds = startSeconds
        self.sums = sums
        self.carried = carried
        self.newSeries = newSeries
        self.arena = arena
        self.widthSeconds = widthSeconds
        self.condition = condition
    }

    package var eventCount: UInt64 { sums.eventCount }
}
