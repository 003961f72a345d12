import HailCore
import HailNet
import HailQuery
import HailSeal
import HailWire

@testable import HailAgent

/// A request: its target up to the first newline, then one letter for the kind of its body, then the body.
enum RequestTarget {
    private static let kinds: [UInt8: String] = [
        UInt8(ascii: "j"): "application/json", UInt8(ascii: "f"): "application/x-www-form-urlencoded",
    ]
    private static let trust = CallerTrust(addresses: [.ipv4(0x7F00_0001, port: 8085)])

    static func run(_ bytes: [UInt8]) {
        let end = bytes.firstIndex(of: 0x0A) ?? bytes.endIndex
        let rest = bytes[end...].dropFirst()
        let target = HTTPTarget(parsing: Array(bytes[..<end]))
        var request = HTTPRequest(method: "POST", target: target, body: Array(rest.dropFirst()))
        var fields = [HTTPField("Host", target.authority ?? "localhost")]
        if let kind = rest.first.flatMap({ kinds[$0] }) { fields.append(HTTPField("Content-Type", kind)) }
        request.headers = HTTPHeaders(fields)
        _ = trust.caller(request)

        json(request.body)
        for text in [target.raw, String(decoding: request.body, as: UTF8.self)] {
            _ = try? Period(parsing: text)
            _ = try? MetricExpression(parsing: text)
            _ = EventTime.seconds(text)
        }
        guard request.problem == nil, let parameters = try? Router.parameters(of: request, readsBody: true) else {
            return
        }
        if let ladder = SpoolTarget.ladder { _ = try? WriteRoutes.event(from: parameters, ladder: ladder) }
        for query in queries(request.path, parameters.values) { answer(query) }
    }

    /// Whatever is read as JSON is written as JSON that says the same.
    private static func json(_ bytes: [UInt8]) {
        guard let value = try? JSONText.parseLenient(bytes) else {
            claim((try? JSONText.parse(bytes)) == nil, "JSON that is refused where more is allowed")
            return
        }
        claim((try? JSONText.parse(JSONText.render(value))) == value, "JSON is written as something else")
        if let strict = try? JSONText.parse(bytes) { claim(strict == value, "JSON is read in two ways") }
    }

    private static func queries(_ path: String, _ values: [String: JSONValue]) -> [any StoreQuery] {
        guard let ladder = SpoolTarget.ladder else { return [] }
        let now = LineTarget.now
        let sketches = ladder.resolutions.filter { !$0.isAllTime }
        var queries: [any StoreQuery] = []
        func add(_ make: () throws -> any StoreQuery) { if let query = try? make() { queries.append(query) } }
        switch path {
        case "/totals":
            add {
                try TotalsQuery(
                    parameters: values, now: now, history: LadderHistory(ladder, sketches: sketches),
                    digester: NameDigest.blake2b)
            }
        case "/plotpoints":
            add {
                try PlotpointsQuery(
                    parameters: values, now: now, history: LadderHistory(ladder, sketches: sketches),
                    digester: NameDigest.blake2b)
            }
        default:
            add { try SubdimensionsQuery(parameters: values, digester: NameDigest.blake2b) }
            add { try SubjectsQuery(parameters: values, digester: NameDigest.blake2b) }
            add { try MetricsOfQuery(parameters: values, digester: NameDigest.blake2b) }
        }
        return queries
    }

    /// Asks an empty store, where that is soon done.
    private static func answer(_ query: some StoreQuery) {
        claim(query.commands.count <= ReadPlan.Bound.keys, "\(query.commands.count) commands are allowed")
        guard query.commands.count < 300 else { return }
        var query = query
        for _ in 0..<3 {
            let replies = query.commands.map { _ in ReadReply.null }
            guard let answer = try? query.answer(replies) else { continue }
            claim((try? JSONText.parse(JSONText.render(answer))) != nil, "an answer that is no JSON")
            return
        }
    }
}
