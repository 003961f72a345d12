import HailCore
import HailNet
import HailWire

/// An error as HTTP callers see it: `{"error":{"code":…,"param":…,"message":…}}`.
struct APIError: Error, Equatable {
    let status: Int
    let code: String
    /// The parameter at fault, or nil where none is.
    let parameter: String?
    let message: String

    init(status: Int = 400, code: String, parameter: String? = nil, message: String) {
        self.status = status
        self.code = code
        self.parameter = parameter
        self.message = message
    }

    static let notTrusted = APIError(
        status: 403, code: "not_trusted",
        message: "this caller is not trusted by its address; see --plain, --read and --host")
    static let notFound = APIError(
        status: 404, code: "not_found", message: "there is nothing here; see protocol/http.md")
    static let unknown = APIError(
        status: 503, code: "unknown",
        message: "the store did not answer in time; what was sent may count yet: retry with the same Idempotency-Key")
    static func storeAway(_ reason: String, known: StoreAwayNote? = nil) -> APIError {
        var error = APIError(status: 503, code: "store_away", message: "the store does not answer: \(reason)")
        error.known = known
        return error
    }

    /// How a refused value is shown: as JSON, and cut where it is long.
    static func shown(_ value: JSONValue?) -> String {
        let text = String(decoding: JSONText.render(value ?? .null), as: UTF8.self)
        let start = text.unicodeScalars.prefix(80)
        return start.endIndex == text.endIndex ? text : String(text[..<start.endIndex]) + "…"
    }

    /// What the agent knows by itself, where the store cannot be asked.
    var known: StoreAwayNote?

    /// Seconds after which a caller of a 503 may try again: what the agent itself waits at most for its store.
    private static let retryAfterSeconds = 2

    var response: HTTPResponse {
        var members = [JSONValue.Member("code", .string(code))]
        if let parameter { members.append(.init("param", .string(parameter))) }
        members.append(.init("message", .string(message)))
        var answer = [JSONValue.Member("error", .object(members))]
        if let known { answer.append(.init("known", known.value)) }
        var response = HTTPResponse.json(.object(answer))
        response.status = status
        if status == 503 { response.headers.append(HTTPField("Retry-After", "\(APIError.retryAfterSeconds)")) }
        return response
    }
}

extension HTTPResponse {
    static func json(_ value: JSONValue) -> HTTPResponse {
        HTTPResponse(
            headers: [HTTPField("Cache-Control", "no-store"), HTTPField("X-Content-Type-Options", "nosniff")],
            body: JSONText.render(value))
    }

    static let ok = HTTPResponse(
        contentType: "text/plain; charset=utf-8", headers: [HTTPField("Cache-Control", "no-store")],
        body: Array("OK\n".utf8))
}
