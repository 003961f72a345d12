import Glibc

@testable import HailStore

/// A real server in cluster mode, alone with all slots, on a unix socket; it ends with its owner.
final class ClusterNode {
    private let folder: TestFolder
    private let child: pid_t

    var socketPath: String { folder.path + "/s" }

    init() throws {
        // EmbeddedStore starts none in cluster mode.
        signal(SIGPIPE, SIG_IGN)
        folder = try TestFolder()
        let log = folder.path + "/server.log"
        guard let held = Descriptor(opening: log, flags: O_RDWR | O_CREAT, mode: 0o600) else {
            throw StoreError.folder(path: log, reason: systemErrorText())
        }
        child = try ServerProcess.start(
            [
                "redis-server", "--port", "0", "--dir", folder.path, "--unixsocket", "s", "--cluster-enabled", "yes",
                "--save", "",
            ], logPath: log, inheriting: held)
        while (try? RedisConnection(unixSocket: socketPath)) == nil, !ServerProcess.hasEnded(child) { usleep(1_000) }
    }

    deinit {
        kill(child, SIGKILL)
        while !ServerProcess.hasEnded(child) { usleep(1_000) }
    }

    /// Takes all slots, and waits until the server serves them: two seconds after its start.
    func serveAll() throws {
        var connection = try RedisConnection(unixSocket: socketPath)
        _ = try connection.send(RedisCommand("CLUSTER", "ADDSLOTSRANGE", "0", "16383"))
        while try connection.send(RedisCommand("CLUSTER", "INFO")).text?.hasPrefix("cluster_state:ok") != true {
            usleep(10_000)
        }
    }
}
