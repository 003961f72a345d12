import Dispatch
import Glibc
import Synchronization

/// A private `redis-server` under the data folder, reached through a unix socket.
///
/// It is made to outlive the agent. The server inherits an open descriptor of `store.lock` on which a lock was
/// taken, so the lock lives exactly as long as the server does: whoever cannot take it knows that the server is
/// there and connects to it, and never is a second one started on the same file.
///
/// `@unchecked Sendable`: everything mutable is touched on `queue` only.
package final class EmbeddedStore: @unchecked Sendable {
    package let socketPath: String
    private let folder: String
    private let program: String
    private let queue = DispatchQueue(label: "hailwhale.embedded-store")
    /// The server, if this process started it.
    ///
    /// Confined to `queue`.
    private var child: pid_t?

    /// Whether nothing is started any more.
    private let isEnding = Atomic(false)

    private var lockPath: String { folder + "/store.lock" }
    private var logPath: String { folder + "/store.log" }

    /// - Parameters:
    ///   - folder: an existing folder for the socket, the log and the append-only file.
    ///   - program: what to start; found in `PATH`.
    package init(folder: String, program: String = "redis-server") {
        self.folder = folder
        self.program = program
        socketPath = folder + "/store.sock"
    }

    package enum Start: Equatable, Sendable {
        case started
        /// One that an earlier agent started was still there.
        case adopted
    }

    /// Starts the server unless it is there, and waits until it answers.
    ///
    /// A long file takes longer to load than it is waited for here; the server then answers `LOADING` at first.
    ///
    /// - Throws: `serverNotInstalled`, `serverFailed`, `folder`.
    @discardableResult
    package func ensureRunning(within seconds: Double = 30) throws(StoreError) -> Start {
        let result: Result<Start, StoreError> = queue.sync {
            do throws(StoreError) { return .success(try startOrAdopt(until: .now() + seconds)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Shuts the server down, whoever started it, and waits until it is gone.
    ///
    /// - Returns: false if it was still there after `seconds`.
    @discardableResult
    package func stop(within seconds: Double = 30) -> Bool {
        queue.sync {
            let deadline = DispatchTime.now() + seconds
            var asked = false
            while true {
                if let lock = try? openLock(), lock.lockExclusively() {
                    reap()
                    return true
                }
                let timeouts = RedisConnection.Timeouts(
                    connectMilliseconds: 2_000, commandMilliseconds: Int(seconds * 1_000))
                if !asked, var connection = try? RedisConnection(unixSocket: socketPath, timeouts: timeouts) {
                    // A server that ends breaks the connection instead of answering; one that still loads refuses.
                    switch Result(catching: { try connection.send(RedisCommand("SHUTDOWN", "NOSAVE")) }) {
                    case .failure: asked = true
                    case .success: break
                    }
                }
                guard DispatchTime.now() < deadline else { return false }
                reap()
                usleep(3_000)
            }
        }
    }

    /// Shuts the server down for good: none is started afterwards, and whoever waits for one gives up.
    ///
    /// - Returns: false if it was still there after `seconds`; then it is left to itself, and to the next agent.
    @discardableResult
    package func end(within seconds: Double) -> Bool {
        isEnding.store(true, ordering: .relaxed)
        let done = DispatchSemaphore(value: 0)
        // Not `sync`: somebody may wait there for an answer of a server that hangs.
        let deadline = DispatchTime.now() + seconds
        DispatchQueue.global().async { [self] in
            if stop(within: seconds) { done.signal() }
        }
        return done.wait(timeout: deadline) == .success
    }

    private func startOrAdopt(until deadline: DispatchTime) throws(StoreError) -> Start {
        var starts = 0
        while true {
            guard !isEnding.load(ordering: .relaxed) else {
                throw .serverFailed(reason: "the agent is stopping", log: "")
            }
            let lock = try openLock()
            if lock.lockExclusively() {
                reap()
                // The lock came free after this call's own start: the server died of something it said, unless somebody
                // ended it just then.
                guard starts < 2 else { throw .serverFailed(reason: "it ended at once", log: logTail()) }
                try start(inheriting: lock)
                starts += 1
            }
            if var connection = try? RedisConnection(unixSocket: socketPath) {
                waitWhileLoading(&connection, until: min(deadline, .now() + EmbeddedStore.loadingSeconds))
                if connection.isAlive { return starts > 0 ? .started : .adopted }
            }
            guard DispatchTime.now() < deadline else {
                throw .serverFailed(reason: "it does not take connections", log: logTail())
            }
            usleep(3_000)
        }
    }

    /// Seconds for which a server that loads its file is waited for.
    private static let loadingSeconds = 2.0

    private func waitWhileLoading(_ connection: inout RedisConnection, until deadline: DispatchTime) {
        while DispatchTime.now() < deadline, !isEnding.load(ordering: .relaxed),
            case .error(let text)? = try? connection.send(RedisCommand("PING")),
            text.hasPrefix("LOADING")
        {
            usleep(1_000)
        }
    }

    private func openLock() throws(StoreError) -> Descriptor {
        guard let lock = Descriptor(opening: lockPath, flags: O_RDWR | O_CREAT, mode: 0o600) else {
            throw .folder(path: lockPath, reason: systemErrorText())
        }
        return lock
    }

    private func start(inheriting lock: borrowing Descriptor) throws(StoreError) {
        // Nobody holds the lock, so nobody listens: what is left of the socket is stale.
        unlink(socketPath)
        if fileSize(logPath) > 1 << 20 { truncate(logPath, 0) }
        guard let place = realpath(folder, nil) else { throw .folder(path: folder, reason: systemErrorText()) }
        defer { free(place) }
        // The server changes into `dir` before it listens, so the socket's name may be relative and is never too long.
        child = try ServerProcess.start(
            [
                program, "--port", "0", "--dir", String(cString: place), "--unixsocket", "store.sock",
                "--unixsocketperm", "700", "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                "--daemonize", "no", "--logfile", "", "--databases", "1", "--maxmemory", "0",
                "--maxmemory-policy", "noeviction", "--hash-max-listpack-entries", "512",
            ], logPath: logPath, inheriting: lock)
    }

    private func reap() {
        if let child, ServerProcess.hasEnded(child) { self.child = nil }
    }

    private func fileSize(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The last lines of the server's log.
    private func logTail() -> String {
        let limit = 2_000
        guard let log = Descriptor(opening: logPath, flags: O_RDONLY) else { return "" }
        let start = max(0, fileSize(logPath) - limit)
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = pread(log.number, &bytes, limit, off_t(start))
        let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
        return lines.suffix(5).joined(separator: "\n")
    }
}
