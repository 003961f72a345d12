/// The one answer to a request, now or later, from any queue.
///
/// A reply that is dropped answers 500, so no connection hangs on a forgotten one.
package final class HTTPReply: Sendable {
    private let exchange: HTTPExchange

    init(_ exchange: HTTPExchange) { self.exchange = exchange }

    /// Answers the request; false where it was answered before or the server has stopped.
    @discardableResult
    package func send(_ response: HTTPResponse) -> Bool { exchange.answer(response) }

    deinit { exchange.answer(.unanswered) }
}
