/// The agent: what `hailwhale run` does until it is told to stop, and what `check` finds out.
package enum AgentRun {
    /// Runs the agent; returns the process's exit code.
    @Sendable package static func main(_ options: AgentOptions) -> Int32 {
        Log(level: .error).error("not wired yet")
        return 70
    }

    /// What is wrong with the store, one sentence a fault.
    @Sendable package static func storeFaults(_ options: AgentOptions) -> [String] {
        ["the store cannot be checked: not wired yet"]
    }
}
