import Glibc

/// A child that outlives its parent's terminal: its own session, default signals, nothing of the parent's open.
enum ServerProcess {
    /// `POSIX_SPAWN_SETSID` of glibc 2.26 and later, which hides it behind `_GNU_SOURCE`.
    private static let newSession: Int16 = 0x80

    /// Starts a program found in `PATH`; its output is appended to `logPath` and `inherited` stays open in it.
    ///
    /// - Throws: `serverNotInstalled` if there is no such program, `serverFailed` for anything else.
    static func start(
        _ arguments: [String], logPath: String, inheriting inherited: borrowing Descriptor
    ) throws(StoreError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Onto itself: glibc then clears close-on-exec, in the child only.
        posix_spawn_file_actions_adddup2(&actions, inherited.number, inherited.number)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, newSession | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))

        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        var child: pid_t = 0
        let code = posix_spawnp(&child, arguments[0], &actions, &attributes, words, environ)
        guard code == 0 else {
            throw code == ENOENT
                ? .serverNotInstalled : .serverFailed(reason: "cannot start: " + systemErrorText(code), log: "")
        }
        return child
    }

    /// Whether a child has ended; it is reaped by asking.
    static func hasEnded(_ child: pid_t) -> Bool {
        var status: Int32 = 0
        let reaped = waitpid(child, &status, WNOHANG)
        return reaped == child || (reaped < 0 && errno == ECHILD)
    }
}
