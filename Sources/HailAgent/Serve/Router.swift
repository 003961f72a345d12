import HailCore
import HailNet

/// Brings a request to its route: checks who may, reads the parameters, counts the answer.
struct Router: Sendable {
    /// A request whose caller may have it.
    struct Call: Sendable {
        let request: HTTPRequest
        let parameters: RequestParameters
        /// Answers it; once, from any queue.
        let answer: @Sendable (HTTPResponse) -> Void

        func fail(_ error: APIError) { answer(error.response) }
    }

    struct Route: Sendable {
        let access: RouteAccess
        var methods: Set<String> = ["GET", "HEAD", "POST"]
        /// Whether the body is the route's own business, not parameters.
        var takesBody = false
        /// Whether its answers have an entity tag.
        var isTagged = false
        let handle: @Sendable (Call) throws -> Void
    }

    let routes: [String: Route]
    let rules: Current<CallerRules>
    let ledger: Ledger

    func handle(_ request: HTTPRequest, _ reply: HTTPReply) {
        let route = routes[request.path]
        let label = route == nil ? "other" : request.path
        let ledger = self.ledger
        let answer: @Sendable (HTTPResponse) -> Void = { response in
            ledger.count { $0.httpRequests[HTTPRequestLabel(path: label, status: response.status), default: 0] += 1 }
            _ = reply.send(response)
        }
        do {
            try dispatch(request, route, answer)
        } catch let error as APIError {
            answer(error.response)
        } catch let error as ParameterError {
            answer(APIError(code: error.code, parameter: error.param, message: error.message).response)
        } catch {
            answer(APIError(status: 500, code: "internal", message: "an error without a name: \(error)").response)
        }
    }

    private func dispatch(
        _ request: HTTPRequest, _ route: Route?, _ answer: @escaping @Sendable (HTTPResponse) -> Void
    ) throws {
        if let problem = request.problem {
            throw APIError(status: problem.status, code: problem.code, message: problem.message)
        }
        guard let route else { throw APIError.notFound }
        let rules = self.rules.value
        let caller = rules.trust.caller(request)
        switch route.access {
        case .everyone: break
        case .read: guard rules.read.includes(caller) else { throw APIError.notTrusted }
        case .write: guard rules.plain.includes(caller) else { throw APIError.notTrusted }
        }
        guard route.methods.contains(request.method) else {
            var response = APIError(
                status: 405, code: "method_not_allowed",
                message: "\(request.path) takes \(route.methods.sorted().joined(separator: ", "))"
            ).response
            response.headers.append(HTTPField("Allow", route.methods.sorted().joined(separator: ", ")))
            answer(response)
            return
        }
        let parameters = try Router.parameters(of: request, readsBody: !route.takesBody)
        var mine = Router.withCORS(answer, request, rules.trust)
        if route.isTagged {
            mine = { [mine] in mine(EntityTag.tagged($0, for: request)) }
        }
        try route.handle(Call(request: request, parameters: parameters, answer: mine))
    }

    static func parameters(of request: HTTPRequest, readsBody: Bool) throws -> RequestParameters {
        var parameters = RequestParameters()
        try parameters.add(pairs: request.query.map { ($0.name, $0.value) })
        guard readsBody, !request.body.isEmpty else { return parameters }
        switch request.mediaType {
        case "application/json":
            try parameters.add(json: request.body)
        case nil, "application/x-www-form-urlencoded":
            do {
                try parameters.add(pairs: try request.form().map { ($0.name, $0.value) })
            } catch let problem as HTTPProblem {
                throw APIError(status: problem.status, code: problem.code, message: problem.message)
            }
        default:
            throw APIError(
                code: "bad_content_type", parameter: "Content-Type",
                message: "a body is application/json or application/x-www-form-urlencoded")
        }
        return parameters
    }

    /// A page whose origin is in `--cors` may read the answer.
    private static func withCORS(
        _ answer: @escaping @Sendable (HTTPResponse) -> Void, _ request: HTTPRequest, _ trust: CallerTrust
    ) -> @Sendable (HTTPResponse) -> Void {
        guard let origin = request.headers["Origin"], trust.mayRead(origin: origin) else { return answer }
        return { response in
            var response = response
            response.headers.append(HTTPField("Access-Control-Allow-Origin", origin))
            response.headers.append(HTTPField("Vary", "Origin"))
            answer(response)
        }
    }
}
