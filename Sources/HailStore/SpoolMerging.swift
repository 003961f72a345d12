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
    /// Windows that one merge takes at most.
    static let runLimit = 256
    /// Bytes that a merged record may have beside its body: mostly the numbers of what it replaces.
    static let recordBytes = 4 << 10

    /// The widths to fold into, finest first.
    let widths: [Int64]
    /// Bytes of bodies that one merge reads at most, unless one window alone has more.
    private let runBytes: Int
    /// In the order of their time.
    private(set) var waiting: [Waiting] = []
    /// The place in `widths` that is merged into now.
    private var level = 0

    /// - Parameter limitBytes: of the spool: what is merged stays under an eighth, so that there is room to merge it again.
    init(widths: [Int64], limitBytes: Int) {
        self.widths = widths
        runBytes = min(32 << 20, limitBytes / 8)
    }

    var byteCount: Int { waiting.reduce(0) { $0 + $1.body.byteCount } }

    mutating func add(_ window: Waiting) { waiting.append(window) }

    /// Windows that have cells in batches now, or none any more, are not merged.
    mutating func remove(_ ids: Set<UInt64>) {
        guard !waiting.isEmpty, !ids.isEmpty else { return }
        waiting.removeAll { ids.contains($0.id) }
        if waiting.isEmpty { level = 0 }
    }

    /// The windows to merge next, one at least, and the width of the buckets of what they become.
    ///
    /// - Parameter room: bytes that the disk may take before what is merged can be deleted.
    mutating func next(isCrowded: Bool, room: Int) -> (run: Range<Int>, widthSeconds: Int64)? {
        guard !widths.isEmpty else { return nil }
        let limit = min(room, runBytes)
        if isCrowded {
            while true {
                let width = widths[level]
                let narrow = waiting.indices.filter { waiting[$0].widthSeconds < width }
                if let first = narrow.first(where: { waiting[$0].body.byteCount <= room }) {
                    return (run(from: first, limit) { $0.widthSeconds < width }, width)
                }
                if let run = evenRun(limit) { return (run, width) }
                guard narrow.isEmpty, !waiting.isEmpty else { return nil }
                guard level + 1 < widths.count else { return evenRun(room).map { ($0, width) } }
                level += 1
            }
        }
        var first = 0
        while first < waiting.count {
            let generation = waiting[first].generation
            let end = waiting[first...].firstIndex { $0.generation != generation } ?? waiting.count
            if end - first >= SpoolMerging.fanIn {
                let run = run(from: first, limit) { $0.generation == generation }
                if run.count > 1 { return (run, widths[level]) }
            }
            first = end
        }
        return nil
    }

    /// The first windows, whatever their generation, of which none has more than half of all their bytes: what is large is
    /// not read again and again for what is small.
    private func evenRun(_ limit: Int) -> Range<Int>? {
        for first in waiting.indices.dropLast() {
            let run = run(from: first, limit) { $0.widthSeconds == waiting[first].widthSeconds }
            let bytes = waiting[run].map(\.body.byteCount)
            if run.count > 1, 2 * (bytes.max() ?? 0) <= bytes.reduce(0, +) { return run }
        }
        return nil
    }

    private func run(from first: Int, _ limit: Int, _ isAlike: (Waiting) -> Bool) -> Range<Int> {
        var end = first + 1
        var bytes = waiting[first].body.byteCount
        while end < waiting.count, end - first < SpoolMerging.runLimit, isAlike(waiting[end]),
            bytes + waiting[end].body.byteCount <= limit
        {
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
