import HailAggregate
import HailCore
import HailStore

/// The spool as the flush queue sees it: says once when it refuses records, and knows which windows it does not have.
///
/// Confined to the flush queue.
struct FlushSpool {
    let spool: Spool
    let ledger: Ledger
    let log: Log
    /// Whether the last record was refused, so that a kill would lose what came since.
    private(set) var isFailing = false
    /// Windows under way that the spool refused, and those of them of which nothing has a number yet.
    private(set) var refused: Set<UInt64> = []
    private var refusedWhole: [UInt64] = []

    /// So many windows that were refused become one in the books.
    private static let refusedLimit = 64

    init(spool: Spool, ledger: Ledger, log: Log) {
        self.spool = spool
        self.ledger = ledger
        self.log = log
    }

    /// Writes windows and batches in one record.
    ///
    /// - Returns: where the batches lie; nil if the spool does not take them.
    mutating func append(_ windows: [WindowRecord], _ numbered: [NumberedShard]) -> [SpoolLocation?]? {
        do throws(StoreError) {
            let locations = try spool.append(
                windows: windows, batches: numbered.flatMap(\.batches), nowSeconds: WallClock.steadySeconds)
            if isFailing, !windows.isEmpty {
                log.info("the spool takes records again")
                isFailing = false
            }
            return locations
        } catch {
            ledger.count { $0.spoolErrors += 1 }
            if !isFailing { log.error("the spool refused a record: a crash now would lose it", ["error": error]) }
            isFailing = true
            return nil
        }
    }

    func appendAcknowledged(_ batches: [BatchIdentity]) {
        do throws(StoreError) {
            try spool.appendAcknowledged(batches, nowSeconds: WallClock.steadySeconds)
        } catch {
            ledger.count { $0.spoolErrors += 1 }
        }
    }

    /// Notes windows that go on from memory.
    ///
    /// - Parameter shards: by window, where its cells have a number now.
    mutating func refuse(_ windows: [FoldedWindow], numbered shards: [UInt64: Set<UInt8>]) {
        refused.formUnion(windows.map(\.window.id))
        refusedWhole += windows.filter { $0.isWhole(numbered: shards[$0.window.id] ?? []) }.map(\.window.id)
    }

    /// Nothing of these windows is under way any more, or they are whole no longer.
    mutating func forget(finished windows: [UInt64] = [], split: [UInt64] = []) {
        if !refused.isEmpty { refused.subtract(windows) }
        if !refusedWhole.isEmpty { refusedWhole.removeAll { split.contains($0) } }
    }

    /// Windows that are not merged from now on, neither on disk nor in the books.
    mutating func keepApart(_ windows: Set<UInt64>) {
        guard !windows.isEmpty else { return }
        spool.keepApart(windows)
        refusedWhole.removeAll { windows.contains($0) }
    }

    /// Merges windows that wait: on disk a step at a time, those that the spool refused in the books alone.
    ///
    /// - Parameter merged: has one window stand for several.
    /// - Returns: whether there may be more to do.
    mutating func merge(_ numbers: WindowNumbers, _ merged: (_ windows: [UInt64], _ id: UInt64) -> Void) -> Bool {
        var isMore = false
        do throws(StoreError) {
            let id = numbers.take()
            let replaced = try spool.mergeWaiting(
                id: id, nowSeconds: WallClock.steadySeconds, merge: WindowRebuild.merged)
            if let replaced {
                merged(replaced, id)
                isMore = true
            }
        } catch { ledger.count { $0.spoolErrors += 1 } }
        if refusedWhole.count >= FlushSpool.refusedLimit {
            let id = numbers.take()
            merged(refusedWhole, id)
            refused = refused.subtracting(refusedWhole).union([id])
            refusedWhole = [id]
        }
        return isMore
    }
}
