import CHiredis
import Dispatch

/// Answers reads over a connection of its own, so that no read waits behind a flush.
///
/// `@unchecked Sendable`: everything mutable is touched on `queue` only.
package final class StoreReader: @unchecked Sendable {
    private let queue: DispatchQueue
    private let connector: StoreConnector
    /// Confined to `queue`.
    private var connection: RedisConnection?
    private let answerLimitBytes: Int
    /// What the latest answer took in memory; confined to `queue`.
    private var weightBytes = 0

    /// The most that the store's answer to one read may take in memory.
    ///
    /// How much a key holds is up to whoever wrote it, so no count of keys bounds this.
    package static let answerLimitBytes = 128 << 20
    /// Above it, memory is given back after a read: the allocator keeps what was freed, for each thread anew.
    private static let trimmedBytes = 64 << 20
    /// Commands sent before their replies are read: the store holds no more than their answers.
    private static let commandsAhead = 512

    package init(
        connector: StoreConnector, label: String = "hailwhale.store-reader",
        answerLimitBytes: Int = StoreReader.answerLimitBytes
    ) {
        self.connector = connector
        self.answerLimitBytes = answerLimitBytes
        queue = DispatchQueue(label: label)
    }

    /// Sends commands that change nothing and hands over the replies, in order, on the reader's queue.
    ///
    /// A connection that broke since its last use is replaced, once. An error reply is among the replies. Replies that
    /// take too much memory together are given up: `answerTooLarge`.
    package func read(
        _ commands: [[[UInt8]]], completion: @escaping @Sendable (Result<[StoreReply], StoreError>) -> Void
    ) {
        queue.async { [self] in
            completion(answer(to: commands.map { RedisCommand($0) }))
            if weightBytes > StoreReader.trimmedBytes { malloc_trim(0) }
        }
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
            guard isReused, case .connectionLost(let reason) = error, reason != RedisConnection.timeoutText else {
                return .failure(error)
            }
        }
        do throws(StoreError) { return .success(try attempt(commands)) } catch { return .failure(error) }
    }

    private func attempt(_ commands: [RedisCommand]) throws(StoreError) -> [StoreReply] {
        if connection == nil { connection = try connector.connect() }
        weightBytes = 0
        do throws(StoreError) {
            guard
                let answer = try connection?.read(
                    commands, ahead: StoreReader.commandsAhead, limitBytes: answerLimitBytes)
            else { return [] }
            weightBytes = answer.weightBytes
            return answer.replies
        } catch {
            connection = nil
            throw error
        }
    }
}
