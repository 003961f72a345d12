import HailCore

/// What a lane took in at one go.
struct LaneReceipt {
    let transport: Transport
    var datagrams: UInt64 = 0
    var linesAccepted: UInt64 = 0
    /// By the place of the reason in `LineError.allCases`.
    var rejected = [UInt64](repeating: 0, count: LineError.allCases.count)
    var linesRejected: UInt64 = 0
    var sealedUnknownKey: UInt64 = 0
    var events: UInt64 = 0
    var seriesOverflow: UInt64 = 0

    init(transport: Transport) { self.transport = transport }

    mutating func reject(_ error: LineError, count: UInt64 = 1) {
        rejected[LaneReceipt.places[error] ?? 0] += count
        linesRejected += count
    }

    private static let places = Dictionary(
        uniqueKeysWithValues: LineError.allCases.enumerated().map { ($0.element, $0.offset) })

    /// Whether there is nothing to enter.
    var isEmpty: Bool {
        datagrams == 0 && linesAccepted == 0 && linesRejected == 0 && sealedUnknownKey == 0 && events == 0
    }

    /// Begins anew, in the same memory.
    mutating func removeAll() {
        if linesRejected > 0 { for place in rejected.indices { rejected[place] = 0 } }
        datagrams = 0
        linesAccepted = 0
        linesRejected = 0
        sealedUnknownKey = 0
        events = 0
        seriesOverflow = 0
    }
}
