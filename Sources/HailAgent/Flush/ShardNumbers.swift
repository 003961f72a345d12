import HailCore

/// Which number a shard's next batch gets, and which shards wait for an answer.
///
/// Pure.
///
/// A shard has at most one flush unanswered: what comes meanwhile has no number yet and merges.
struct ShardNumbers {
    private var next = [UInt64](repeating: 1, count: 256)
    private var unanswered = [Int](repeating: 0, count: 256)
    /// Cells in unanswered batches.
    private var cells = [Int](repeating: 0, count: 256)
    private var stopped = Set<UInt8>()
    /// Of which the store was asked what it admits.
    private var asking = Set<UInt8>()
    /// Whether the store has answered yet and agreed to take this agent's batches.
    private var isOpen = false
    /// Whether the store answers: while it does not, what waits is better off without numbers, where it merges.
    var isUp = false

    /// Whether a shard may get numbers now.
    func isFree(_ shard: UInt8) -> Bool {
        isOpen && isUp && unanswered[Int(shard)] == 0 && !stopped.contains(shard) && !asking.contains(shard)
    }

    mutating func open() { isOpen = true }

    func nextSequence(of shard: UInt8) -> UInt64 { next[Int(shard)] }

    /// Cells that were sent and not answered yet, but for those of stopped shards.
    var cellsUnderWay: Int { cells.reduce(0, +) }

    mutating func sent(_ count: Int, cells sent: Int, of shard: UInt8) {
        next[Int(shard)] += UInt64(count)
        unanswered[Int(shard)] += count
        cells[Int(shard)] += sent
    }

    mutating func asked(_ shard: UInt8) { asking.insert(shard) }

    mutating func judged(_ shard: UInt8) { asking.remove(shard) }

    mutating func answered(_ shard: UInt8, cells answered: Int) {
        unanswered[Int(shard)] = max(0, unanswered[Int(shard)] - 1)
        cells[Int(shard)] = max(0, cells[Int(shard)] - answered)
    }

    /// A shard whose state in the store is not known any more gets no further batch.
    mutating func stop(_ shard: UInt8) {
        stopped.insert(shard)
        cells[Int(shard)] = 0
    }

    var stoppedCount: Int { stopped.count }
}
