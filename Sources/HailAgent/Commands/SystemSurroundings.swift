import Glibc

extension Surroundings {
    /// The process's own surroundings: its descriptors, its environment, the network.
    package static func system() -> Surroundings {
        Surroundings(
            environment: environmentOfProcess(),
            readFile: { path throws(SystemError) in
                try BlockingIO.readFile(path, limitBytes: AgentOptions.fileLimitBytes)
            },
            input: { BlockingIO.read(from: STDIN_FILENO) },
            output: { BlockingIO.writeAll($0, to: STDOUT_FILENO) },
            errorOutput: { BlockingIO.writeAll($0, to: STDERR_FILENO) },
            openDatagrams: { target throws(SystemError) in
                let socket = try CommandSocket(to: target)
                return { bytes throws(SystemError) in try socket.send(bytes) }
            },
            fetch: { agent, target throws(SystemError) in try CommandSocket.get(agent, target) },
            storeFaults: AgentRun.storeFaults,
            run: AgentRun.main)
    }

    private static func environmentOfProcess() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let halves = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if halves.count == 2 { variables[String(halves[0])] = String(halves[1]) }
            next += 1
        }
        return variables
    }
}
