/// Opens connections to the store, wherever it is; starts the embedded one where it is missing.
package struct StoreConnector: Sendable {
    package let url: StoreURL
    package let embedded: EmbeddedStore?
    private let timeouts: RedisConnection.Timeouts

    /// - Parameter embedded: the server that `StoreURL.embedded` stands for.
    package init(
        url: StoreURL, embedded: EmbeddedStore? = nil, timeouts: RedisConnection.Timeouts = .standard
    ) {
        self.url = url
        self.embedded = embedded
        self.timeouts = timeouts
    }

    package func connect() throws(StoreError) -> RedisConnection {
        guard url == .embedded else { return try RedisConnection(to: url, timeouts: timeouts) }
        guard let embedded else { throw .unsupported("the embedded store was not set up") }
        try embedded.ensureRunning()
        return try RedisConnection(unixSocket: embedded.socketPath, timeouts: timeouts)
    }
}
