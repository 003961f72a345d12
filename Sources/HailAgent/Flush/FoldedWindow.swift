import HailAggregate
import HailCore
import HailStore

/// A window whose cells are pending, on its way into the spool.
struct FoldedWindow {
    let window: ClosedWindow
    let events: UInt64
    /// The shards that hold a part of it.
    let parts: Set<UInt8>

    /// What the spool keeps of it, where its cells in these shards have a number now.
    ///
    /// - Parameter body: what it holds, as the spool keeps it; asked for only if something of it has to wait.
    func record(numbered shards: Set<UInt8>, body: () -> [UInt8]) -> WindowRecord {
        let residual = parts.subtracting(shards)
        return WindowRecord(
            id: window.id, startSeconds: window.startSeconds, eventCount: events,
            residual: ShardSet(residual.map { Shard($0) }), body: residual.isEmpty ? [] : body(),
            isMergeable: isWhole(numbered: shards))
    }

    /// Whether nothing of it has a number, and it may be merged with others.
    func isWhole(numbered shards: Set<UInt8>) -> Bool {
        window.condition == nil && !parts.isEmpty && parts.isDisjoint(with: shards)
    }
}
