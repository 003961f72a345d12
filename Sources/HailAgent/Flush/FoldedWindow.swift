import HailAggregate

/// A window whose sums were added to what is pending.
struct FoldedWindow {
    let window: ClosedWindow
    let events: UInt64
    /// The shards that hold a part of it.
    let parts: Set<UInt8>
}
