/// A request that was received whole, or refused before (`problem`).
package struct HTTPRequest: Sendable {
    package var method: String
    package var target: HTTPTarget
    package var headers: HTTPHeaders
    package var body: [UInt8]
    /// Where the connection came from; `CallerTrust` says what that is worth.
    package var peer: PeerClass
    /// Why the request cannot be taken: answer it with the problem's status.
    ///
    /// Its body is empty then.
    package var problem: HTTPProblem?

    package init(
        method: String, target: HTTPTarget, headers: HTTPHeaders = HTTPHeaders(), body: [UInt8] = [],
        peer: PeerClass = .loopback, problem: HTTPProblem? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer
        self.problem = problem ?? target.problem
    }

    package var path: String { target.path }
    package var rawPath: String { target.rawPath }
    package var pathParts: [String] { target.pathParts }
    package var query: [HTTPField] { target.query }

    /// The media type of the body in lower case, without its parameters; nil where none is stated.
    package var mediaType: String? {
        guard let value = headers["Content-Type"] else { return nil }
        let type = value.prefix { $0 != ";" }
        return type.filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    /// The body read as `application/x-www-form-urlencoded`.
    package func form() throws(HTTPProblem) -> [HTTPField] { try HTTPField.parse(body[...]) }
}
