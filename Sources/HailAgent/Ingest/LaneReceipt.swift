import HailCore

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

    /// Whether nothing was refused.
    var isQuiet: Bool { sealedUnknownKey == 0 && rejected.allSatisfy { $0 == 0 } }
}
