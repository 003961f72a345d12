import HailCore

/// Where a line came in.
enum Transport: String, CaseIterable, Sendable {
    case udp, unix, http
}

/// What a lane took in at one go.
struct LaneReceipt {
    let transport: Transport
    var datagrams: UInt64 = 0
    var linesAccepted: UInt64 = 0
    /// By the place of the reason in `LineError.allCases`.
    var rejected = [UInt64](repeating: 0, count: LineError.allCases.count)
    var sealedUnknownKey: UInt64 = 0
    var events: UInt64 = 0
    var seriesOverflow: UInt64 = 0

    init(transport: Transport) { self.transport = transport }

    mutating func reject(_ error: LineError, count: UInt64 = 1) {
        rejected[LaneReceipt.places[error] ?? 0] += count
    }

    private static let places = Dictionary(
        uniqueKeysWithValues: LineError.allCases.enumerated().map { ($0.element, $0.offset) })

    mutating func removeAll() { self = LaneReceipt(transport: transport) }
}

/// Everything the agent counts about itself; the names are those of `/metrics`.
struct LedgerCounts: Sendable {
    var datagrams: [Transport: UInt64] = [:]
    var kernelDropped: UInt64 = 0
    var linesAccepted: UInt64 = 0
    var linesRejected: UInt64 = 0
    var rejected: [LineError: UInt64] = [:]
    var sealedUnknownKey: UInt64 = 0
    var eventsAccepted: UInt64 = 0
    var eventsStored: UInt64 = 0
    var eventsUsed: UInt64 = 0
    var eventsLost: [LossReason: UInt64] = [:]
    var eventsReverted: UInt64 = 0
    var cellsDead: [String: UInt64] = [:]
    var seriesOverflow: UInt64 = 0
    var valuesFolded: UInt64 = 0
    var cellsCoarsened: UInt64 = 0
    var batches: [String: UInt64] = [:]
    var cellsFlushed: UInt64 = 0
    var flushSeconds = Histogram()
    var httpRequests: [HTTPRequestLabel: UInt64] = [:]
    var spoolErrors: UInt64 = 0
}

/// Why events were lost after they had been accepted: `hailwhale_events_lost_total{reason="…"}`.
enum LossReason: String, CaseIterable, Sendable {
    /// The store was away for longer than `--pending-limit` could hold.
    case pendingFull = "pending_full"
    /// A window in the spool of an earlier start could not be read.
    case spoolCorrupt = "spool_corrupt"
    /// A batch's bytes were gone from memory and from the spool before the store had them.
    case spoolLost = "spool_lost"
    /// The agent was told to stop while the spool could not take what the store had not taken.
    case stopped
}

/// The labels of `hailwhale_http_requests_total`.
struct HTTPRequestLabel: Hashable, Sendable {
    let path: String
    let status: Int
}

/// The books at one moment.
struct LedgerSnapshot: Sendable {
    let counts: LedgerCounts
    /// Events in windows that are open.
    let openEvents: UInt64
    /// Events in windows that are closed and not wholly in the store.
    let windowEvents: UInt64

    var pendingEvents: UInt64 { openEvents + windowEvents }
}

/// A Prometheus histogram of seconds.
struct Histogram: Sendable {
    static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// Observations at or below each bound, and, last, all of them.
    private(set) var cumulative = [UInt64](repeating: 0, count: Histogram.bounds.count + 1)
    private(set) var sum = 0.0

    mutating func observe(_ seconds: Double) {
        for (place, bound) in Histogram.bounds.enumerated() where seconds <= bound { cumulative[place] += 1 }
        cumulative[Histogram.bounds.count] += 1
        sum += seconds
    }
}
