package import HailCore

/// What one shard has to send and has no number yet.
package struct PendingShard {
    package private(set) var frames: [Frame.Key: Frame] = [:]
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

    /// Counters held, over all frames.
    package var entryCount: Int { frames.values.reduce(0) { $0 + $1.records.count } }

    mutating func note(window: UInt64) {
        if windows.last != window { windows.append(window) }
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

    /// Adds sums to the frame of the key.
    mutating func add(_ frame: Frame, key: Frame.Key) {
        guard let held = frames[key] else {
            frames[key] = frame
            return
        }
        frames[key] = PendingShard.sum(held, frame)
    }

    /// Folds frames finer than `widthSeconds` into that width; their finer cells are given up, no sum is.
    ///
    /// - Returns: how many cells of the finer width are no longer there.
    package mutating func coarsen(to widthSeconds: Int64) -> Int {
        var given = 0
        var coarse: [Frame.Key: Frame] = [:]
        for (key, frame) in frames {
            var key = key
            if key.widthSeconds < widthSeconds {
                given += frame.records.count
                key = Frame.Key(
                    startSeconds: key.startSeconds.floorDivided(by: widthSeconds) * widthSeconds,
                    widthSeconds: widthSeconds, condition: key.condition)
            }
            coarse[key] = coarse[key].map { PendingShard.sum($0, frame) } ?? frame
        }
        frames = coarse
        return given
    }

    private static func sum(_ left: Frame, _ right: Frame) -> Frame {
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
