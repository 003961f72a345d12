package import HailCore

/// What one shard has to send and has no number yet.
package struct PendingShard {
    package private(set) var spans: [SpanSums.Key: SpanSums] = [:]
    /// The windows whose cells or names it holds, each once.
    package private(set) var windows: [UInt64] = []
    /// Subjects whose parent lies in this shard and should learn of them.
    package private(set) var children: [UInt32] = []
    /// Which window counts under a once-id.
    package private(set) var claims: [Digest: UInt64] = [:]
    /// Windows that came with a once-id that another one here has: nothing of theirs counts.
    package private(set) var repeats: Set<UInt64> = []

    package init() {}

    package var isEmpty: Bool { windows.isEmpty && children.isEmpty }

    /// Records held, over all spans.
    package var entryCount: Int { spans.values.reduce(0) { $0 + $1.entryCount } }

    /// Bytes that all of it takes, about.
    package var byteCount: Int {
        spans.values.reduce(96 * spans.capacity) { $0 + $1.byteCount } + 8 * windows.capacity + 4 * children.capacity
            + 40 * claims.capacity + 16 * repeats.capacity
    }

    mutating func note(window: UInt64) {
        if windows.last != window { windows.append(window) }
    }

    /// Has one window stand for several; says whether any of them was here.
    mutating func merge(windows ids: Set<UInt64>, into id: UInt64) -> Bool {
        let count = windows.count
        windows.removeAll { ids.contains($0) }
        guard windows.count < count else { return false }
        windows.append(id)
        return true
    }

    /// Whether the window is the one that counts under its condition.
    ///
    /// The store sees a once-id once a batch, so retries that meet here must not be added up before.
    mutating func claim(_ condition: BatchGroup.Condition?, for window: UInt64) -> Bool {
        guard let condition else { return true }
        let claimant = claims[condition.onceID, default: window]
        claims[condition.onceID] = claimant
        if claimant != window { repeats.insert(window) }
        return claimant == window
    }

    mutating func add(child: UInt32) { children.append(child) }

    /// Adds sums to the span of the key.
    mutating func add(_ span: SpanSums, key: SpanSums.Key, _ scratch: inout SpanSums.Places) {
        spans[key, default: SpanSums()].merge(span, &scratch)
    }

    /// Adds what one record of another kind than counter gathered.
    mutating func add(_ cell: CellSums, of record: UInt32, key: SpanSums.Key) {
        if spans[key, default: SpanSums()].cells[record]?.merge(cell) == nil {
            spans[key]?.cells[record] = cell
        }
    }

    /// Folds spans finer than `widthSeconds` into that width; their finer cells are given up, no sum is.
    ///
    /// - Returns: how many cells are no longer there: those of the finer width, and of the days of zones that nobody
    ///   could tell apart any more.
    mutating func coarsen(to widthSeconds: Int64, of ladder: Ladder, _ scratch: inout SpanSums.Places) -> Int {
        var given = 0
        var coarse: [SpanSums.Key: SpanSums] = [:]
        // In order of time: a gauge's moves follow the value they move.
        for (key, span) in spans.sorted(by: { $0.key.startSeconds < $1.key.startSeconds }) {
            var key = key
            if key.widthSeconds < widthSeconds {
                let fine = ladder.zoneDays(holding: key.startSeconds, lengthSeconds: key.widthSeconds)
                key = SpanSums.Key(
                    startSeconds: key.startSeconds.floorDivided(by: widthSeconds) * widthSeconds,
                    widthSeconds: widthSeconds, condition: key.condition)
                let coarse = ladder.zoneDays(holding: key.startSeconds, lengthSeconds: key.widthSeconds)
                given += span.entryCount * (1 + fine - coarse)
            }
            coarse[key, default: SpanSums()].merge(span, &scratch)
        }
        spans = coarse
        return given
    }
}
