import Glibc
import HailNet
import HailStore

/// The agent: what `hailwhale run` does until it is told to stop, and what `check` finds out.
package enum AgentRun {
    /// Runs the agent; returns the process's exit code.
    @Sendable package static func main(_ options: AgentOptions, reread: @escaping Surroundings.Reread) -> Int32 {
        MemoryArena.shareOne()
        let log = Log(level: options.logLevel)
        signal(SIGPIPE, SIG_IGN)
        // The environment is changed here, so nothing that makes threads may come before.
        let reports = ServiceNotifier.take().map { ServiceReports($0) }
        let handed = Result { () throws(NetError) in try HandedSocket.takeAll() }.mapError {
            HandoverError.malformed($0.description)
        }
        let signals = AgentSignals(log)
        do {
            let plan = try SocketPlan(options, handed: try handed.get())
            return try run(Agent(options, plan, reports: reports, log: log), signals, reports, reread, log)
        } catch {
            let code = cannotRun("\(error)", reports, log)
            return (error is HandoverError) ? ExitCode.usage : code
        }
    }

    private static func run(
        _ agent: Agent, _ signals: AgentSignals, _ reports: ServiceReports?, _ reread: @escaping Surroundings.Reread,
        _ log: Log
    ) throws -> Int32 {
        // A store that refuses the agent does not keep it from giving back what it took, a server of its own included.
        defer { agent.stop() }
        try agent.start { signals.refuse("\($0)") }
        signals.onReload {
            reports?.isReloading()
            agent.reload.perform(reread)
            reports?.hasReloaded()
        }
        guard let reason = signals.waitForEnd() else { return ExitCode.success }
        return cannotRun(reason, reports, log)
    }

    private static func cannotRun(_ reason: String, _ reports: ServiceReports?, _ log: Log) -> Int32 {
        log.error("cannot run", ["error": reason])
        reports?.isStopping("cannot run: \(reason)")
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
