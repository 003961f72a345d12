import HailCore
import HailNet

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
    /// Series counted without their tags, since there were too many groups.
    var seriesFolded: UInt64 = 0
    var valuesFolded: UInt64 = 0
    var cellsCoarsened: UInt64 = 0
    var batches: [String: UInt64] = [:]
    var cellsFlushed: UInt64 = 0
    var flushSeconds = Histogram()
    var httpRequests: [HTTPRequestLabel: UInt64] = [:]
    /// Connections ended for being slow.
    var httpCuts: [HTTPCut: UInt64] = [:]
    var spoolErrors: UInt64 = 0
}
