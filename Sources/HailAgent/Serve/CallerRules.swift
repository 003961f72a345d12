import HailNet

/// Which callers over HTTP may read and write.
struct CallerRules: Sendable {
    let trust: CallerTrust
    let plain: Trust
    let read: Trust

    /// - Parameter addresses: where the agent listens for HTTP.
    init(_ options: AgentOptions, addresses: [SocketAddress]) {
        trust = CallerTrust(
            addresses: addresses, hosts: options.hosts, origins: options.corsOrigins.compactMap { HTTPOrigin($0) })
        plain = options.plain
        read = options.read
    }
}
