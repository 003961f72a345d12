import Dispatch
import HailCore
import HailNet

/// `/metrics`, `/status`, `/healthz` and `/readyz`: the agent about itself.
struct StatusRoutes: Sendable {
    let state: AgentState
    let eras: Current<StoreEras>
    let reloads: Current<ReloadReport>
    let lanes: [Lane]
    let receivers: [DatagramReceiver]
    let flusher: Flusher
    let ledger: Ledger

    var routes: [String: Router.Route] {
        [
            "/metrics": Router.Route(access: .read, methods: ["GET", "HEAD"]) { metrics($0) },
            "/status": Router.Route(access: .read, methods: ["GET", "HEAD"]) { status($0) },
            "/healthz": Router.Route(access: .everyone, methods: ["GET", "HEAD"]) { $0.answer(.ok) },
            "/readyz": Router.Route(access: .everyone, methods: ["GET", "HEAD"]) { ready($0) },
        ]
    }

    private func ready(_ call: Router.Call) {
        guard state.isReady else {
            return call.fail(APIError(status: 503, code: "not_ready", message: "the store has not answered yet"))
        }
        call.answer(.ok)
    }

    private func metrics(_ call: Router.Call) {
        sizes { series, sizes in
            let gauges = MetricsText.Gauges(
                series: series, isStoreUp: sizes.isStoreUp, isStoreDurable: state.isDurable,
                doesStoreAgree: eras.value.differences.isEmpty,
                spoolBytes: sizes.spoolBytes, version: Version.text)
            call.answer(
                HTTPResponse(
                    contentType: "text/plain; version=0.0.4; charset=utf-8",
                    headers: [HTTPField("Cache-Control", "no-store")],
                    body: Array(MetricsText.render(ledger.snapshot, gauges: gauges).utf8)))
        }
    }

    private func status(_ call: Router.Call) {
        sizes { series, sizes in
            let snapshot = ledger.snapshot
            let counts = snapshot.counts
            func number(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }
            call.answer(
                .json(
                    .object([
                        .init("version", .string(Version.text)),
                        .init("uptime_seconds", number((WallClock.steadyMillis - state.startedMillis) / 1_000)),
                        .init("ready", .bool(state.isReady)),
                        .init("reload", reloads.value.json),
                        .init(
                            "store",
                            .object([
                                .init("url", .string(state.storeText)), .init("up", .bool(sizes.isStoreUp)),
                                .init("durable", .bool(state.isDurable)),
                                .init("durability", .string(state.durability)),
                                .init("stopped_shards", number(sizes.stoppedShards)),
                                .init("differences", .array(eras.value.differences.map { .string($0) })),
                            ])),
                        .init(
                            "datagrams",
                            .object(
                                Transport.allCases.map { .init($0.rawValue, number(counts.datagrams[$0] ?? 0)) }
                                    + [.init("kernel_dropped", number(counts.kernelDropped))])),
                        .init(
                            "lines",
                            .object([
                                .init("accepted", number(counts.linesAccepted)),
                                .init("rejected", number(counts.linesRejected)),
                                .init(
                                    "reasons",
                                    .object(
                                        counts.rejected.sorted { $0.key.rawValue < $1.key.rawValue }
                                            .map { .init($0.key.rawValue, number($0.value)) })),
                            ])),
                        .init(
                            "events",
                            .object([
                                .init("accepted", number(counts.eventsAccepted)),
                                .init("stored", number(counts.eventsStored)),
                                .init("used", number(counts.eventsUsed)),
                                .init("pending", number(snapshot.pendingEvents)),
                                .init("pending_open", number(snapshot.openEvents)),
                                .init("pending_closed", number(snapshot.windowEvents)),
                                .init("lost", number(counts.eventsLost.values.reduce(0, +))),
                            ])),
                        .init(
                            "memory",
                            .object([
                                .init("series", number(series)), .init("subjects", number(sizes.subjects)),
                                .init("counters", number(sizes.records)),
                                .init("series_overflow", number(counts.seriesOverflow + counts.seriesFolded)),
                                .init("pending_bytes", number(sizes.pendingBytes)),
                            ])),
                        .init("values_folded", number(counts.valuesFolded)),
                        .init("spool_bytes", number(sizes.spoolBytes)),
                        .init("window_ms", number(sizes.windowMillis)),
                    ])))
        }
    }

    /// Asks every lane and the flush queue how much they hold, and the kernel what it dropped.
    private func sizes(_ done: @escaping @Sendable (_ series: Int, FlushSizes) -> Void) {
        let series = LaneTotal()
        let drops = LaneTotal()
        let barrier = LaneBarrier(count: lanes.count) {
            ledger.count { $0.kernelDropped = UInt64(drops.value) }
            flusher.sizes { done(series.value, $0) }
        }
        for (number, lane) in lanes.enumerated() {
            lane.queue.async {
                series.add(lane.seriesCount)
                if number < receivers.count {
                    receivers[number].refreshKernelDrops()
                    drops.add(Int(receivers[number].kernelDrops))
                }
                barrier.arrive()
            }
        }
    }
}
