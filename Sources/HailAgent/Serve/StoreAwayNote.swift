import HailCore

/// What an agent can say while its store does not answer: nothing of what was asked for, which only the store adds up, but
/// how the counting stands.
struct StoreAwayNote: Equatable {
    let sizes: FlushSizes
    let pendingEvents: UInt64
    let lostEvents: UInt64
    let nowMillis: Int64

    init(_ sizes: FlushSizes, _ snapshot: LedgerSnapshot, nowMillis: Int64) {
        self.sizes = sizes
        pendingEvents = snapshot.pendingEvents
        lostEvents = snapshot.counts.eventsLost.values.reduce(0, +)
        self.nowMillis = nowMillis
    }

    var value: JSONValue {
        .object([
            .init("away_seconds", number(sizes.awaySinceMillis.map { (nowMillis - $0) / 1_000 } ?? 0)),
            .init("events_pending", number(pendingEvents)), .init("events_lost", number(lostEvents)),
            .init("pending_finest_seconds", sizes.pendingWidthSeconds.map(number) ?? .null),
            .init("pending_bytes", number(sizes.pendingBytes)), .init("spool_bytes", number(sizes.spoolBytes)),
            .init("survives_a_kill", .bool(!sizes.isSpoolFailing)),
        ])
    }

    private func number(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }
}
