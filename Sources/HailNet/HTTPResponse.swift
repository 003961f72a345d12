/// An answer.
///
/// `Content-Length`, `Date` and `Connection` are added when it is sent; for `HEAD`, and with 304, the body is left out.
package struct HTTPResponse: Sendable {
    package var status: Int
    package var contentType: String
    /// Further header fields.
    ///
    /// A value with a line break is left out.
    package var headers: [HTTPField]
    package var body: [UInt8]

    package init(
        status: Int = 200, contentType: String = "application/json", headers: [HTTPField] = [], body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    package init(status: Int = 200, contentType: String = "application/json", text: String) {
        self.init(status: status, contentType: contentType, body: Array(text.utf8))
    }

    /// An error in the shape of the interface, for answers that no route gives.
    ///
    /// The texts are this target's own and need no escaping.
    static func failure(status: Int, code: String, message: String) -> HTTPResponse {
        HTTPResponse(status: status, text: #"{"error":{"code":"\#(code)","message":"\#(message)"}}"#)
    }

    /// For a handler that dropped its reply.
    static let unanswered = failure(status: 500, code: "internal", message: "the request was dropped unanswered")
    /// For what comes while the server stops.
    static let stopping = failure(status: 503, code: "stopping", message: "the agent is stopping")
    /// For what a handler had taken and not answered when the server stopped: nobody knows what it came to.
    static let abandoned = failure(
        status: 503, code: "unknown",
        message:
            "the agent stopped before it had an answer; what was sent may count: retry with the same Idempotency-Key"
    )
}
