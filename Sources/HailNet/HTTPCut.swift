/// When a connection was cut because its client took longer than `HTTPLimits.phaseSeconds`.
package enum HTTPCut: String, CaseIterable, Sendable {
    /// While it sent a request.
    case request
    /// While it read an answer.
    case answer
}
