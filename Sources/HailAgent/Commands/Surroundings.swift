import Glibc

/// Everything commands touch outside themselves; tests bring their own.
package struct Surroundings: Sendable {
    /// Sends one datagram; the system's words where it was refused.
    package typealias DatagramSend = @Sendable ([UInt8]) throws(SystemError) -> Void

    package var environment: [String: String]
    package var readFile: @Sendable (_ path: String) throws(SystemError) -> [UInt8]
    /// The next bytes of standard input; empty at the end, nil on an error.
    package var input: @Sendable () -> [UInt8]?
    /// Writes to standard output; false when nobody reads any more.
    package var output: @Sendable ([UInt8]) -> Bool
    /// Writes to standard error.
    package var errorOutput: @Sendable ([UInt8]) -> Void
    /// Opens a socket towards an agent.
    package var openDatagrams: @Sendable (DatagramTarget) throws(SystemError) -> DatagramSend
    /// Asks an agent by GET; the answer's status and body.
    package var fetch: @Sendable (_ agent: AgentURL, _ target: String) throws(SystemError) -> FetchAnswer
    /// What is wrong with the store, one sentence a fault.
    package var storeFaults: @Sendable (AgentOptions) -> [String]
    /// Waits a moment before an agent is asked again.
    package var pause: @Sendable () -> Void = { usleep(300_000) }
    /// Reads the options once more, from the same arguments and environment and what the file holds now.
    package typealias Reread = @Sendable () throws(OptionError) -> AgentOptions
    /// Runs the agent; its exit code.
    package var run: @Sendable (AgentOptions, @escaping Reread) -> Int32

    package init(
        environment: [String: String], readFile: @escaping @Sendable (String) throws(SystemError) -> [UInt8],
        input: @escaping @Sendable () -> [UInt8]?, output: @escaping @Sendable ([UInt8]) -> Bool,
        errorOutput: @escaping @Sendable ([UInt8]) -> Void,
        openDatagrams: @escaping @Sendable (DatagramTarget) throws(SystemError) -> DatagramSend,
        fetch: @escaping @Sendable (AgentURL, String) throws(SystemError) -> FetchAnswer,
        storeFaults: @escaping @Sendable (AgentOptions) -> [String],
        run: @escaping @Sendable (AgentOptions, @escaping Reread) -> Int32
    ) {
        self.environment = environment
        self.readFile = readFile
        self.input = input
        self.output = output
        self.errorOutput = errorOutput
        self.openDatagrams = openDatagrams
        self.fetch = fetch
        self.storeFaults = storeFaults
        self.run = run
    }

    func say(_ text: String) -> Bool { output(Array((text + "\n").utf8)) }

    func complain(_ text: String) { errorOutput(Array(("hailwhale: " + text + "\n").utf8)) }
}

/// What an agent answered.
package struct FetchAnswer: Equatable, Sendable {
    package var status: Int
    package var body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}
