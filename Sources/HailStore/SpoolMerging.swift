/// Which of the windows that wait in the spool become one, so that hours of them neither fill the disk nor the books.
///
/// Sixteen merges of a generation make one of the next, so there are never many. Where the spool is crowded, all are
/// merged into ever wider buckets: the finest resolution is given up first, one at a time, the sums never.
///
/// Pure.
struct SpoolMerging {
    struct Waiting: Equatable {
        let id: UInt64
        let body: SpoolLocation
        let startSeconds: Int64
        let eventCount: UInt64
        /// Seconds of the buckets that its body tells apart; 0 is a window as it closed.
        var widthSeconds: Int64 = 0
        var generation = 0
    }

    /// Windows of one generation that become one.
    static let fanIn = 16
    /// Bytes of bodies that one merge reads at most, unless one window alone has more.
    static let runBytes = 32 << 20

    /// The widths to fold into, finest first.
    let widths: [Int64]
    /// In the order of their time.
    private(set) var waiting: [Waiting] = []
    /// The place in `widths` that is merged into now.
    private var level = 0

    init(widths: [Int64]) { self.widths = widths }

    var byteCount: Int { waiting.reduce(0) { $0 + $1.body.byteCount } }

    mutating func add(_ window: Waiting) { waiting.append(window) }

    /// Windows that have cells in batches now, or none any more, are not merged.
    mutating func remove(_ ids: Set<UInt64>) {
        guard !waiting.isEmpty, !ids.isEmpty else { return }
        waiting.removeAll { ids.contains($0.id) }
        if waiting.isEmpty { level = 0 }
    }

    /// The windows to merge next, one at least, and the width of the buckets of what they become.
    mutating func next(isCrowded: Bool) -> (run: Range<Int>, widthSeconds: Int64)? {
        guard !widths.isEmpty else { return nil }
        if isCrowded {
            while true {
                if let first = waiting.firstIndex(where: { $0.widthSeconds < widths[level] }) {
                    return (run(from: first) { $0.widthSeconds < widths[level] }, widths[level])
                }
                guard level + 1 < widths.count, !waiting.isEmpty else { return nil }
                level += 1
            }
        }
        var first = 0
        while first < waiting.count {
            let generation = waiting[first].generation
            let end = waiting[first...].firstIndex { $0.generation != generation } ?? waiting.count
            if end - first >= SpoolMerging.fanIn {
                let run = run(from: first) { $0.generation == generation }
                if run.count > 1 { return (run, widths[level]) }
            }
            first = end
        }
        return nil
    }

    private func run(from first: Int, _ isAlike: (Waiting) -> Bool) -> Range<Int> {
        var end = first + 1
        var bytes = waiting[first].body.byteCount
        while end < waiting.count, isAlike(waiting[end]), bytes + waiting[end].body.byteCount <= SpoolMerging.runBytes {
            bytes += waiting[end].body.byteCount
            end += 1
        }
        return first..<end
    }

    /// Puts what a run became in its place.
    mutating func replace(_ run: Range<Int>, with merged: Waiting) {
        var merged = merged
        merged.generation = (waiting[run].map(\.generation).max() ?? 0) + (run.count > 1 ? 1 : 0)
        waiting.replaceSubrange(run, with: [merged])
    }
}
