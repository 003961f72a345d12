/// Why the store, the spool or the data folder could not do what was asked.
package enum StoreError: Error, Equatable, Sendable {
    // Where the store is.
    /// `--store` does not read as a store's address; the text says what is allowed.
    case badURL(text: String, reason: String)
    /// The address is understood, but this version cannot use such a store.
    case unsupported(String)

    // The way to it.
    case unreachable(address: String, reason: String)
    /// The connection broke, or a reply did not come in time. What was sent may or may not have been done.
    case connectionLost(String)
    /// The store answered a command that must succeed with an error.
    case refused(command: String, reply: String)
    /// The store answered with something that the command never answers.
    case unexpectedReply(command: String)
    /// What the store answered to one read takes more memory than a read may.
    case answerTooLarge(limitBytes: Int)

    // What it promises.
    /// `maxmemory-policy` lets the store drop what was counted.
    case mayEvict(policy: String)

    // The embedded store.
    case serverNotInstalled
    /// `redis-server` ended or did not answer; `log` is the end of what it said.
    case serverFailed(reason: String, log: String)

    // The data folder and the spool.
    case folder(path: String, reason: String)
    case folderInUse(path: String, holder: String)
    case spoolFull(limitBytes: Int)
    case spoolWrite(path: String, reason: String)
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badURL(let text, let reason): "store \(text): \(reason); allowed are \(StoreURL.allowed)"
        case .unsupported(let what): what
        case .unreachable(let address, let reason): "cannot reach the store at \(address): \(reason)"
        case .connectionLost(let reason): "connection to the store lost: \(reason)"
        case .refused(let command, let reply): "the store refused \(command): \(reply)"
        case .unexpectedReply(let command): "the store's answer to \(command) makes no sense"
        case .answerTooLarge(let limitBytes): "the store's answer takes more than \(limitBytes) bytes"
        case .mayEvict(let policy):
            "the store's maxmemory-policy is \(policy), so it may drop what was counted; it must be noeviction"
        case .serverNotInstalled:
            "redis-server is not installed (Debian: apt-get install redis-server); or give --store redis://host:port"
        case .serverFailed(let reason, let log):
            log.isEmpty ? "redis-server: \(reason)" : "redis-server: \(reason); it said: \(log)"
        case .folder(let path, let reason): "data folder \(path): \(reason)"
        case .folderInUse(let path, let holder): "data folder \(path) is in use by \(holder)"
        case .spoolFull(let limitBytes): "the spool holds its limit of \(limitBytes) bytes"
        case .spoolWrite(let path, let reason): "cannot write \(path): \(reason)"
        }
    }
}
