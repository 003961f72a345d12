/// How many events became stored with which batch: for a store that loses what it had acknowledged.
///
/// An event belongs to the batch that brought the last part of it, so each is counted once. Pure.
struct StoredHistory {
    private struct Mark {
        let sequence: UInt64
        /// Events of the shard's batches up to and with this one.
        var events: UInt64
    }

    /// Marks kept of a shard; past it, old ones stand for several batches each.
    static let limit = 1_024

    private var shards = [[Mark]](repeating: [], count: 256)

    /// Notes events that became stored with a batch; batches come by rising number.
    mutating func stored(_ events: UInt64, with sequence: UInt64, of shard: UInt8) {
        guard events > 0 else { return }
        let before = shards[Int(shard)].last?.events ?? 0
        shards[Int(shard)].append(Mark(sequence: sequence, events: before + events))
        if shards[Int(shard)].count > StoredHistory.limit { thin(Int(shard)) }
    }

    /// Takes out the events of the `batches` batches that end with `last`, and says how many those are.
    mutating func revert(batches: UInt64, last: UInt64, of shard: UInt8) -> UInt64 {
        let marks = shards[Int(shard)]
        let kept = marks.prefix { $0.sequence + batches <= last }
        let rest = marks.drop { $0.sequence <= last }
        let lost = marks[kept.count..<rest.startIndex]
        guard let newest = lost.last else { return 0 }
        let events = newest.events - (kept.last?.events ?? 0)
        shards[Int(shard)] = kept + rest.map { Mark(sequence: $0.sequence, events: $0.events - events) }
        return events
    }

    /// Drops every other mark of the older half; the mark behind it stands for both.
    private mutating func thin(_ shard: Int) {
        let marks = shards[shard]
        let half = marks.count / 2
        shards[shard] = marks.enumerated().filter { $0.offset >= half || $0.offset % 2 == 1 }.map(\.element)
    }
}
