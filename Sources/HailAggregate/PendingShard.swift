import HailCore

/// What one shard has to send and has no number yet.
package struct PendingShard {
    package private(set) var spans: [SpanSums.Key: SpanSums] = [:]
    /// The windows whose cells or names it holds, each once.
    package private(set) var windows: [UInt64] = []
    /// Subjects whose parent lies in this shard and should learn of them.
    package private(set) var children: [UInt32] = []

    package init() {}

    package var isEmpty: Bool { windows.isEmpty && children.isEmpty }

    /// Counters held, over all spans.
    package var entryCount: Int { spans.values.reduce(0) { $0 + $1.records.count } }

    mutating func note(window: UInt64) {
        if windows.last != window { windows.append(window) }
    }

    mutating func add(child: UInt32) { children.append(child) }

    /// Adds sums to the span of the key.
    mutating func add(_ span: SpanSums, key: SpanSums.Key) {
        guard let held = spans[key] else {
            spans[key] = span
            return
        }
        spans[key] = PendingShard.sum(held, span)
    }

    /// Folds spans finer than `widthSeconds` into that width; their finer cells are given up, no sum is.
    ///
    /// - Returns: how many cells of the finer width are no longer there.
    package mutating func coarsen(to widthSeconds: Int64) -> Int {
        var given = 0
        var coarse: [SpanSums.Key: SpanSums] = [:]
        for (key, span) in spans {
            var key = key
            if key.widthSeconds < widthSeconds {
                given += span.records.count
                key = SpanSums.Key(
                    startSeconds: key.startSeconds.floorDivided(by: widthSeconds) * widthSeconds,
                    widthSeconds: widthSeconds, condition: key.condition)
            }
            coarse[key] = coarse[key].map { PendingShard.sum($0, span) } ?? span
        }
        spans = coarse
        return given
    }

    private static func sum(_ left: SpanSums, _ right: SpanSums) -> SpanSums {
        var sum = left
        var places: [UInt32: Int] = [:]
        places.reserveCapacity(left.records.count)
        for (place, record) in left.records.enumerated() { places[record] = place }
        for (place, record) in right.records.enumerated() {
            if let held = places[record] {
                sum.sums[held] &+= right.sums[place]
            } else {
                sum.records.append(record)
                sum.sums.append(right.sums[place])
            }
        }
        return sum
    }
}
