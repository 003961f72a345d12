/// Why a socket or a server could not be had.
package enum NetError: Error, Equatable {
    /// The text is no address; `allowed` says what is.
    case badAddress(text: String, allowed: String)
    /// The name of a host has no address.
    case unknownHost(name: String, reason: String)
    /// A call to the system failed: what was tried, on what, and the `errno`.
    case system(action: String, subject: String, code: Int32)
    /// Another program, or another agent, has the address.
    case addressInUse(String)
    /// The path of a unix socket holds something that is no socket.
    case notASocket(path: String)
    /// libmicrohttpd did not start on the address.
    case serverRefused(address: String)
    /// What the program was started with is not what sd_listen_fds(3) says.
    case badHandover(String)
    /// The peer did not answer in time.
    case timedOut(subject: String)
    /// What came back is not the answer to an HTTP request.
    case badAnswer(subject: String, reason: String)
}

extension NetError: CustomStringConvertible {
    /// A sentence for an operator.
    package var description: String {
        switch self {
        case .badAddress(let text, let allowed): "\"\(text)\" is no address; allowed: \(allowed)"
        case .unknownHost(let name, let reason): "the host \"\(name)\" has no address: \(reason)"
        case .system(let action, let subject, let code): "cannot \(action) \(subject): \(ErrorText.of(code))"
        case .addressInUse(let address): "\(address) is in use by another program"
        case .notASocket(let path): "\(path) exists and is no socket"
        case .serverRefused(let address): "the HTTP server did not start on \(address)"
        case .badHandover(let reason): reason
        case .timedOut(let subject): "\(subject) did not answer in time"
        case .badAnswer(let subject, let reason): "\(subject) did not answer HTTP: \(reason)"
        }
    }
}
