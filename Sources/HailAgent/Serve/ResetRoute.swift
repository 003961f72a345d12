import HailCore
import HailQuery

/// `/reset`: deletes what was counted of a subject.
///
/// It needs an `admin` key whatever the address it is asked from, and no caller of this version can have one.
struct ResetRoute: Sendable {
    var routes: [String: Router.Route] {
        ["/reset": Router.Route(access: .everyone, methods: ["POST"]) { try reset($0) }]
    }

    private func reset(_ call: Router.Call) throws {
        try call.parameters.refuseUnknown(besides: ["pk", "dimensions", "metrics", "token"])
        do throws(QueryError) {
            guard let subject = call.parameters["pk"], subject != .null, subject != .string("") else {
                throw QueryError(.badPath, "pk", "Whose counts are deleted has to be said: pk is missing.")
            }
            _ = try PathList(subject, parameter: "pk", depth: Limits.subjectParts)
            _ = try PathList(call.parameters["dimensions"], parameter: "dimensions", depth: Limits.pathDepth)
            for expression in try MetricExpression.list(call.parameters["metrics"]) where !expression.isPlain {
                throw QueryError(
                    .badMetric, "metrics", "\(expression.name.text) is no name of a metric alone.")
            }
        } catch {
            throw APIError(error)
        }
        throw APIError(
            status: 403, code: "no_admin_key",
            message: "/reset needs an admin key of the key registry, which this version has not; nothing was deleted")
    }
}
