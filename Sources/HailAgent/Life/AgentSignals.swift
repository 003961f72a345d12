import Dispatch
import Glibc

/// TERM, INT and HUP, taken on one queue.
///
/// `@unchecked Sendable`: everything mutable is touched on `queue` only, but for `sources`, which is set while starting.
final class AgentSignals: @unchecked Sendable {
    private let queue = DispatchQueue(label: "hailwhale.signals")
    private let told = DispatchSemaphore(value: 0)
    private let log: Log
    private var sources: [any DispatchSourceSignal] = []
    private var isTold = false
    private var reload: (@Sendable () -> Void)?
    /// Whether HUP came before there was anything that could read again.
    private var isReloadDue = false
    private var refusal: String?

    init(_ log: Log) {
        self.log = log
        // Sources take the signals; what they would do by themselves is switched off.
        for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_IGN) }
        sources = [
            source(SIGTERM) { [self] in stop(by: "TERM") }, source(SIGINT) { [self] in stop(by: "INT") },
            source(SIGHUP) { [self] in
                if let reload { reload() } else { isReloadDue = true }
            },
        ]
    }

    /// What HUP does; called on the queue of the signals.
    func onReload(_ reload: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            self.reload = reload
            if isReloadDue { reload() }
        }
    }

    /// The store refuses the agent: it has to end.
    func refuse(_ reason: String) {
        queue.async { [self] in
            if refusal == nil { refusal = reason }
            told.signal()
        }
    }

    /// Waits until a signal or a refusal ends the agent; why, if it was a refusal.
    func waitForEnd() -> String? {
        told.wait()
        return queue.sync { refusal }
    }

    private func stop(by name: String) {
        guard isTold else {
            isTold = true
            log.info("told to stop", ["signal": name])
            told.signal()
            return
        }
        log.warning("told to stop again: ends at once, without what is not in the spool yet", ["signal": name])
        _exit(ExitCode.fault)
    }

    private func source(_ number: Int32, _ handler: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { handler() }
        source.activate()
        return source
    }
}
