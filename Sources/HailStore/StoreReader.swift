import Dispatch

/// Answers reads over a connection of its own, so that no read waits behind a flush.
///
/// `@unchecked Sendable`: everything mutable is touched on `queue` only.
package final class StoreReader: @unchecked Sendable {
    private let queue: DispatchQueue
    private let connector: StoreConnector
    /// Confined to `queue`.
    private var connection: RedisConnection?

    package init(connector: StoreConnector, label: String = "hailwhale.store-reader") {
        self.connector = connector
        queue = DispatchQueue(label: label)
    }

    /// Sends commands that change nothing in one go and hands over the replies, in order, on the reader's queue.
    ///
    /// A connection that broke since its last use is replaced, once. An error reply is among the replies.
    package func read(
        _ commands: [[[UInt8]]], completion: @escaping @Sendable (Result<[StoreReply], StoreError>) -> Void
    ) {
        queue.async { [self] in completion(answer(to: commands.map { RedisCommand($0) })) }
    }

    /// Closes the connection; the next read opens another.
    ///
    /// - Returns: false if a read that the store does not answer was still under way after `seconds`.
    @discardableResult
    package func close(within seconds: Double = 1) -> Bool {
        let done = DispatchSemaphore(value: 0)
        queue.async { [self] in
            connection = nil
            done.signal()
        }
        return done.wait(timeout: .now() + seconds) == .success
    }

    private func answer(to commands: [RedisCommand]) -> Result<[StoreReply], StoreError> {
        guard !commands.isEmpty else { return .success([]) }
        // Reads may be repeated without harm, so one that meets a connection gone stale tries a fresh one. A store
        // that does not answer in time is not asked twice.
        let isReused = connection != nil
        do throws(StoreError) { return .success(try attempt(commands)) } catch {
            guard isReused, error != .connectionLost(RedisConnection.timeoutText) else { return .failure(error) }
        }
        do throws(StoreError) { return .success(try attempt(commands)) } catch { return .failure(error) }
    }

    private func attempt(_ commands: [RedisCommand]) throws(StoreError) -> [StoreReply] {
        if connection == nil { connection = try connector.connect() }
        do throws(StoreError) { return try connection?.pipeline(commands) ?? [] } catch {
            connection = nil
            throw error
        }
    }
}
