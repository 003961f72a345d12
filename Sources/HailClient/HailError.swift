/// Why a question was not answered.
public enum HailError: Error, Hashable, Sendable {
    /// Nobody answers there; the reason is for people.
    case unreachable(String)
    /// No whole answer came in time.
    case timedOut
    /// The task that asked was cancelled.
    case cancelled
    /// The agent says why it does not answer.
    case refused(Refusal)
    /// What came is no answer of an agent; the reason is for people.
    case badAnswer(String)

    /// What the agent says; `protocol/http.md` lists the codes.
    public struct Refusal: Hashable, Sendable {
        /// The status of HTTP: 400, 403, 503 and so on.
        public let status: Int
        /// Such as `bad_period`.
        public let code: String
        /// The parameter that is at fault, if one is.
        public let parameter: String?
        /// A sentence for people.
        public let message: String
    }
}

extension HailError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .unreachable(let reason): "the agent is not reached: \(reason)"
        case .timedOut: "the agent did not answer in time"
        case .cancelled: "the question was cancelled"
        case .refused(let refusal): "the agent refused (\(refusal.status) \(refusal.code)): \(refusal.message)"
        case .badAnswer(let reason): "what came is no answer of an agent: \(reason)"
        }
    }
}
