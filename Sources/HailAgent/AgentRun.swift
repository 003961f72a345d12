import Dispatch
import Glibc
import HailCore
import HailNet
import HailStore

/// The agent: what `hailwhale run` does until it is told to stop, and what `check` finds out.
package enum AgentRun {
    /// Runs the agent; returns the process's exit code.
    @Sendable package static func main(_ options: AgentOptions) -> Int32 {
        MemoryArena.shareOne()
        let log = Log(level: options.logLevel)
        signal(SIGPIPE, SIG_IGN)
        // Sources take the signals; what they would do by themselves is switched off.
        for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_IGN) }
        let queue = DispatchQueue(label: "hailwhale.signals")
        let told = DispatchSemaphore(value: 0)
        func onSignal(_ number: Int32, _ handler: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { handler() }
            source.activate()
            return source
        }
        let sources = [
            onSignal(SIGTERM) { told.signal() }, onSignal(SIGINT) { told.signal() },
            onSignal(SIGHUP) { log.warning("HUP changes nothing in this version: restart the agent") },
        ]
        defer { for source in sources { source.cancel() } }
        let refusal = StoreRefusal()
        do {
            let agent = try Agent(options, log: log)
            // A store that refuses the agent does not keep it from giving back what it took, a server of its own included.
            defer { agent.stop() }
            try agent.start { error in
                refusal.note("\(error)")
                told.signal()
            }
            told.wait()
        } catch {
            refusal.note("\(error)")
        }
        guard let reason = refusal.reason else { return ExitCode.success }
        log.error("cannot run", ["error": reason])
        return ExitCode.fault
    }

    /// What is wrong with the store, one sentence a fault; also what it takes to answer, where that is long.
    @Sendable package static func storeFaults(_ options: AgentOptions) -> [String] {
        // A store of the agent's own is made when it starts: there is nothing to ask before.
        guard options.store != .embedded else { return [] }
        do throws(StoreEntryError) {
            let began = WallClock.steadyMillis
            let standing = try StoreEntry.standing(StoreConnector(url: options.store))
            let millis = WallClock.steadyMillis - began
            var faults: [String] = []
            if !standing.isDurable { faults.append("the store is not durable: \(standing.reason)") }
            if millis > 100 { faults.append("the store took \(millis) ms to answer; flushes want less than 100") }
            return faults
        } catch {
            return [error.description]
        }
    }
}

/// Why the agent has to end; guarded by the semaphore that is signalled after it was noted.
private final class StoreRefusal: @unchecked Sendable {
    private(set) var reason: String?

    func note(_ reason: String) { self.reason = reason }
}
