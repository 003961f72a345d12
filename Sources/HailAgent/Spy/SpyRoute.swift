import Dispatch
import HailCore
import HailNet
import HailQuery

/// `/spy`: the last events, newest first.
struct SpyRoute: Sendable {
    let lanes: [Lane]

    private static let mostEvents = 1_000
    private static let standardLimit = 100

    var routes: [String: Router.Route] {
        ["/spy": Router.Route(access: .read, isTagged: true) { try spy($0) }]
    }

    /// `pk` keeps events of a subject and below, `limit` counts them, `after` takes the `number` of an event that was
    /// seen and leaves out all up to it.
    private func spy(_ call: Router.Call) throws {
        try call.parameters.refuseUnknown(besides: ["pk", "limit", "after", "token"])
        let limit = try number(call.parameters["limit"], "limit", allowed: 1...UInt64(SpyRoute.mostEvents))
        let after = try number(call.parameters["after"], "after", allowed: 0...UInt64(Int64.max)) ?? 0
        let subject: [Name]
        do throws(QueryError) {
            let subjects = try PathList(call.parameters["pk"], parameter: "pk", depth: Limits.subjectParts)
            subject = Name.path(subjects.paths.first ?? [])
        } catch {
            throw APIError(error)
        }
        let collector = SpyCollector(count: lanes.count) { lines in
            let newest = lines.filter { subject.isEmpty || Name.path($0.subject).starts(with: subject) }
                .sorted(by: SpyLine.isNewer).prefix(Int(limit ?? UInt64(SpyRoute.standardLimit)))
            call.answer(.json(.array(newest.map(SpyRoute.json))))
        }
        for (place, lane) in lanes.enumerated() {
            lane.queue.async { collector.add(lane.spy(after: after), of: place) }
        }
    }

    private static func json(_ line: SpyLine) -> JSONValue {
        .object([
            .init("number", .number("\(line.number)")),
            .init("at", .number(Amount(micros: Int128(line.millis) * 1_000).description)),
            .init("line", .string(line.text)),
        ])
    }

    private func number(
        _ value: JSONValue?, _ name: String, allowed: ClosedRange<UInt64>
    ) throws(APIError) -> UInt64? {
        guard let value else { return nil }
        let text: String
        switch value {
        case .number(let number): text = number
        case .string(let string): text = string
        default: text = ""
        }
        guard let number = UInt64(text), allowed.contains(number) else {
            throw APIError(
                code: "bad_\(name)", parameter: name,
                message:
                    "\(APIError.shown(value)) is no whole number from \(allowed.lowerBound) to \(allowed.upperBound)")
        }
        return number
    }
}
