import HailCore
import HailStore

/// The ids under which what came back from the spool without a number is numbered: the windows themselves decide them.
///
/// Who takes up a copy of the same spool gives the same numbers, so the store counts the two once, as it does with what
/// had a number before.
enum RecoveredIDs {
    /// - Parameter spool: reads what the windows hold.
    /// - Returns: by shard that windows owe something.
    static func byShard(
        _ windows: [SpoolRecovery.Window], in spool: SpoolReader, digester: Digester
    ) -> [UInt8: Digest] {
        // Digests of the windows, in the order they were written.
        var owed: [UInt8: ByteWriter] = [:]
        for window in windows where !window.uncovered.isEmpty {
            var text = ByteWriter()
            text.put(window.id)
            text.put(spool.read(window.body) ?? [])
            let digest = digester(text.bytes)
            for shard in window.uncovered.shards { owed[shard.number, default: ByteWriter()].put(digest) }
        }
        return Dictionary(
            uniqueKeysWithValues: owed.map { ($0, digester(Array("spool".utf8) + [$0] + $1.bytes)) })
    }
}
