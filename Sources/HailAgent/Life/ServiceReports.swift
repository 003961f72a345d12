import Dispatch
import HailNet

/// Tells the service manager how the agent is: ready, reading its configuration again, stopping, and alive.
///
/// A sign of life goes out when every lane and the flush queue have answered, so none does where one of them hangs.
///
/// `@unchecked Sendable`: everything mutable is touched on `queue` only, but for `timer`, which is set once.
final class ServiceReports: @unchecked Sendable {
    private let queue = DispatchQueue(label: "hailwhale.service")
    private let notifier: ServiceNotifier
    private var isReady = false
    private var isStopping = false
    private var isRoundUnderWay = false
    private var lastStatus = ""
    private var timer: (any DispatchSourceTimer)?

    /// How often the status is looked at where no sign of life is wanted.
    private static let idleMicroseconds: UInt64 = 1_000_000

    init(_ notifier: ServiceNotifier) { self.notifier = notifier }

    /// Sockets are bound and the store was asked, whatever it said: the agent counts.
    func becameReady(isStoreUp: Bool) {
        queue.async { [self] in
            guard !isReady, !isStopping else { return }
            isReady = true
            tell(["READY=1"], status: ServiceReports.status(isStoreUp: isStoreUp, pendingEvents: 0))
        }
    }

    func isReloading() {
        queue.async { [self] in
            guard isReady, !isStopping else { return }
            notifier.send(["RELOADING=1", "MONOTONIC_USEC=\(ServiceNotifier.monotonicMicroseconds)"])
        }
    }

    func hasReloaded() {
        queue.async { [self] in
            if isReady, !isStopping { notifier.send(["READY=1"]) }
        }
    }

    /// Told at once, since the process may be gone soon, and once: the first reason stands.
    func isStopping(_ status: String) {
        queue.sync {
            guard !isStopping else { return }
            isStopping = true
            tell(["STOPPING=1"], status: status)
        }
    }

    /// Called once; says from time to time, twice in the time that a sign of life may take, that the agent is alive.
    func watch(_ lanes: [Lane], _ flusher: Flusher, _ ledger: Ledger) {
        let interval = notifier.watchdogMicroseconds.map { max($0 / 2, 1_000) } ?? ServiceReports.idleMicroseconds
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(
            deadline: .now() + .microseconds(Int(clamping: interval)),
            repeating: .microseconds(Int(clamping: interval)),
            leeway: .microseconds(Int(clamping: interval / 20)))
        timer.setEventHandler { [weak self] in self?.goRound(lanes, flusher, ledger) }
        self.timer = timer
        timer.activate()
    }

    private func goRound(_ lanes: [Lane], _ flusher: Flusher, _ ledger: Ledger) {
        guard !isRoundUnderWay else { return }
        isRoundUnderWay = true
        let barrier = LaneBarrier(count: lanes.count) {
            flusher.sizes { sizes in
                self.queue.async { self.finishRound(sizes, pendingEvents: ledger.snapshot.pendingEvents) }
            }
        }
        for lane in lanes { lane.queue.async { barrier.arrive() } }
    }

    private func finishRound(_ sizes: FlushSizes, pendingEvents: UInt64) {
        isRoundUnderWay = false
        let sign = notifier.watchdogMicroseconds == nil ? [] : ["WATCHDOG=1"]
        guard isReady, !isStopping else {
            if !sign.isEmpty { notifier.send(sign) }
            return
        }
        tell(sign, status: ServiceReports.status(isStoreUp: sizes.isStoreUp, pendingEvents: pendingEvents))
    }

    /// Sends assignments, and the status if it is another than the last.
    private func tell(_ assignments: [String], status: String) {
        let all = assignments + (status == lastStatus ? [] : ["STATUS=\(status)"])
        lastStatus = status
        if !all.isEmpty { notifier.send(all) }
    }

    private static func status(isStoreUp: Bool, pendingEvents: UInt64) -> String {
        isStoreUp ? "counting; the store is up" : "counting; the store is away, \(pendingEvents) events wait for it"
    }
}
