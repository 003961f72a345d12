import HailStore

/// Which windows stand behind the conditions of batches under way.
struct Claims {
    /// By batch: the window that counts under the condition of each group.
    private var windows: [BatchIdentity: [UInt64?]] = [:]

    mutating func note(_ shard: NumberedShard) {
        for (batch, claimants) in zip(shard.batches, shard.claimants) where claimants.contains(where: { $0 != nil }) {
            windows[batch.header.identity] = claimants
        }
    }

    mutating func forget(_ batch: BatchIdentity) { windows[batch] = nil }

    /// Forgets a batch that the store has.
    ///
    /// - Returns: the windows of which nothing counted, since their once-ids were used before.
    mutating func settle(_ header: BatchHeader, _ outcome: DeliveryOutcome) -> [UInt64] {
        let claimants = windows.removeValue(forKey: header.identity)
        guard case .applied(let tally) = outcome, !tally.usedGroups.isEmpty else { return [] }
        // From an earlier start: what its groups were is not known, but there is one window only.
        guard let claimants else { return header.covers.count == 1 ? header.covers : [] }
        return tally.usedGroups.filter(claimants.indices.contains).compactMap { claimants[$0] }
    }
}
