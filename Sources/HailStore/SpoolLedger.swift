import HailCore

/// What of the spool is still needed.
///
/// Pure: it is told what was written and acknowledged, and says what may go.
struct SpoolLedger {
    struct Segment {
        let number: UInt32
        var byteCount: Int
        fileprivate var unacknowledged = 0
        fileprivate var lastAcknowledgedSeconds = Int64.min
        fileprivate var windows: [UInt64] = []
        fileprivate var batches: [BatchIdentity] = []
        /// Earlier segments that would be read wrongly without this one: it covers their windows or
        /// acknowledges their batches.
        fileprivate var explains: Set<UInt32> = []
    }

    /// Seconds a batch stays after its acknowledgement: a store that syncs once a second may still forget it.
    static let tailSeconds: Int64 = 30

    private(set) var segments: [Segment] = []
    private var batches: [BatchIdentity: (segment: UInt32, isAcknowledged: Bool)] = [:]
    private var windows: [UInt64: (segment: UInt32, uncovered: ShardSet)] = [:]

    var byteCount: Int { segments.reduce(0) { $0 + $1.byteCount } }

    mutating func open(segment number: UInt32, byteCount: Int) {
        segments.append(Segment(number: number, byteCount: byteCount))
    }

    /// Notes bytes of the newest segment.
    mutating func grow(byBytes count: Int) {
        if !segments.isEmpty { segments[segments.count - 1].byteCount += count }
    }

    /// Notes a flush in the newest segment.
    mutating func add(windows added: [WindowRecord], batches headers: [BatchHeader]) {
        guard let index = segments.indices.last else { return }
        let number = segments[index].number
        for window in added {
            windows[window.id] = (number, window.residual)
            segments[index].windows.append(window.id)
        }
        for header in headers {
            if batches[header.identity] == nil {
                batches[header.identity] = (number, false)
                segments[index].batches.append(header.identity)
                segments[index].unacknowledged += 1
            }
            for id in header.covers {
                guard var window = windows[id] else { continue }
                window.uncovered.remove(header.shard)
                windows[id] = window
                if window.segment != number { segments[index].explains.insert(window.segment) }
            }
        }
    }

    /// Notes, in the newest segment, a window in the place of others.
    mutating func merge(_ replaced: [UInt64], into window: WindowRecord) {
        for id in replaced {
            guard let home = windows[id] else { continue }
            windows[id] = (home.segment, ShardSet())
            if let last = segments.indices.last, segments[last].number != home.segment {
                segments[last].explains.insert(home.segment)
            }
        }
        add(windows: [window], batches: [])
    }

    /// What windows hold for a shard is lost: nothing is kept for it any longer.
    mutating func giveUp(_ ids: [UInt64], shard: Shard) {
        for id in ids { windows[id]?.uncovered.remove(shard) }
    }

    /// The shards whose cells of a window are in no batch.
    func uncovered(_ window: UInt64) -> ShardSet { windows[window]?.uncovered ?? ShardSet() }

    /// Whether a window's cells for a shard are here and in no batch.
    func owes(window: UInt64, to shard: Shard) -> Bool { windows[window]?.uncovered.contains(shard) ?? false }

    /// Notes acknowledgements, written in the newest segment if there is one.
    mutating func acknowledge(_ identities: [BatchIdentity], atSeconds: Int64) {
        for identity in identities {
            guard let home = batches[identity], !home.isAcknowledged,
                let place = segments.firstIndex(where: { $0.number == home.segment })
            else { continue }
            batches[identity] = (home.segment, true)
            segments[place].unacknowledged -= 1
            segments[place].lastAcknowledgedSeconds = max(segments[place].lastAcknowledgedSeconds, atSeconds)
            if let last = segments.indices.last, last != place { segments[last].explains.insert(home.segment) }
        }
    }

    /// Segments that nothing needs any more; they are forgotten here.
    mutating func trim(nowSeconds: Int64) -> [UInt32] {
        var gone: [UInt32] = []
        var kept: [Segment] = []
        var keptNumbers: Set<UInt32> = []
        for segment in segments {
            let isNeeded =
                segment.unacknowledged > 0
                || (segment.lastAcknowledgedSeconds != .min
                    && nowSeconds - segment.lastAcknowledgedSeconds < SpoolLedger.tailSeconds)
                || segment.windows.contains { windows[$0].map { !$0.uncovered.isEmpty } ?? false }
                || !segment.explains.isDisjoint(with: keptNumbers)
            if isNeeded {
                kept.append(segment)
                keptNumbers.insert(segment.number)
            } else {
                gone.append(segment.number)
                for id in segment.windows { windows[id] = nil }
                for identity in segment.batches { batches[identity] = nil }
            }
        }
        segments = kept
        return gone
    }
}
