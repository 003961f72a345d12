import Dispatch
import Glibc
import HailCore
import HailNet
import HailStore

/// The agent: what `hailwhale run` does until it is told to stop, and what `check` finds out.
package enum AgentRun {
    /// Runs the agent; returns the process's exit code.
    @Sendable package static func main(_ options: AgentOptions) -> Int32 {
        let log = Log(level: options.logLevel)
        signal(SIGPIPE, SIG_IGN)
        // Signals are taken by sources; blocked before any thread starts, so that all threads inherit it.
        for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_IGN) }
        let queue = DispatchQueue(label: "hailwhale.signals")
        let told = DispatchSemaphore(value: 0)
        let sources = [SIGTERM, SIGINT].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { told.signal() }
            source.activate()
            return source
        }
        defer { for source in sources { source.cancel() } }
        do {
            let agent = try Agent(options, log: log)
            try agent.start()
            told.wait()
            agent.stop()
            return 0
        } catch {
            log.error("cannot run", ["error": "\(error)"])
            return ExitCode.fault
        }
    }

    /// What is wrong with the store, one sentence a fault.
    @Sendable package static func storeFaults(_ options: AgentOptions) -> [String] { [] }
}
