import HailCore
import HailQuery
import HailSeal
import HailStore

/// `/totals`, `/plotpoints`, and what is known by name: `/subdimensions`, `/subjects`, `/metrics_of`.
struct ReadRoutes: Sendable {
    let reader: StoreReader
    let flusher: Flusher
    let ledger: Ledger
    let eras: Current<StoreEras>
    let zones: ZoneFolder
    private let underWay = ReadsUnderWay()

    init(
        reader: StoreReader, flusher: Flusher, ledger: Ledger, eras: Current<StoreEras>, zones: ZoneFolder
    ) {
        self.reader = reader
        self.flusher = flusher
        self.ledger = ledger
        self.eras = eras
        self.zones = zones
    }

    var routes: [String: Router.Route] {
        [
            "/totals": Router.Route(access: .read) { call in
                try answer(call, knowing: ReadRoutes.totalsParameters, as: ["period": "periods"]) {
                    parameters throws(QueryError) in
                    try TotalsQuery(
                        parameters: parameters, now: WallClock.seconds, history: eras.value.history,
                        digester: NameDigest.blake2b, zones: zones.rules)
                }
            },
            "/plotpoints": Router.Route(access: .read) { call in
                try answer(call, knowing: ReadRoutes.plotpointsParameters, as: ["periods": "period"]) {
                    parameters throws(QueryError) in
                    try PlotpointsQuery(
                        parameters: parameters, now: WallClock.seconds, history: eras.value.history,
                        digester: NameDigest.blake2b, zones: zones.rules)
                }
            },
            "/subdimensions": Router.Route(access: .read) { call in
                try answer(call, knowing: ["pk", "dimensions", "recursive", "token"]) { parameters throws(QueryError) in
                    try SubdimensionsQuery(parameters: parameters, digester: NameDigest.blake2b)
                }
            },
            "/subjects": Router.Route(access: .read) { call in
                try answer(call, knowing: ["prefix", "limit", "token"]) { parameters throws(QueryError) in
                    try SubjectsQuery(parameters: parameters, digester: NameDigest.blake2b)
                }
            },
            "/metrics_of": Router.Route(access: .read) { call in
                try answer(call, knowing: ["pk", "token"]) { parameters throws(QueryError) in
                    try MetricsOfQuery(parameters: parameters, digester: NameDigest.blake2b)
                }
            },
        ]
    }

    private static let totalsParameters: Set<String> = [
        "pk", "dimensions", "metrics", "periods", "period", "tz", "token",
    ]
    private static let plotpointsParameters: Set<String> = [
        "pk", "dimensions", "metrics", "period", "periods", "depth", "sort", "limit", "threshold", "tz", "with_totals",
        "descending", "token",
    ]

    private func answer<Query: StoreQuery>(
        _ call: Router.Call, knowing known: Set<String>, as otherNames: [String: String] = [:],
        query: ([String: JSONValue]) throws(QueryError) -> Query
    ) throws {
        try call.parameters.refuseUnknown(besides: known)
        var parameters = call.parameters.values
        for (other, name) in otherNames where parameters[name] == nil { parameters[name] = parameters[other] }
        let first: Query
        do throws(QueryError) { first = try query(parameters) } catch { throw APIError(error) }
        let keys = first.commands.count
        guard underWay.enter(keys: keys) else { throw ReadsUnderWay.busy }
        let leaving = Router.Call(request: call.request, parameters: call.parameters) { [underWay] response in
            underWay.leave(keys: keys)
            call.answer(response)
        }
        step(leaving, first)
    }

    private static let tooCostly = APIError(
        code: QueryError.Code.tooCostly.rawValue,
        message:
            "What the store holds for this would take more than \(StoreReader.answerLimitBytes >> 20) MiB to read; "
            + "ask for fewer dimensions or metrics, less depth, or a shorter period.")

    /// One round trip to the store, and the next if the query wants one.
    private func step(_ call: Router.Call, _ query: some StoreQuery) {
        reader.read(query.commands) { result in
            switch result {
            case .failure(.answerTooLarge): call.fail(ReadRoutes.tooCostly)
            case .failure(let error):
                flusher.sizes { sizes in
                    let known = StoreAwayNote(sizes, ledger.snapshot, nowMillis: WallClock.steadyMillis)
                    call.fail(.storeAway(error.description, known: known))
                }
            case .success(let replies):
                var query = query
                do throws(QueryError) {
                    if let answer = try query.answer(replies.map(ReadReply.init)) {
                        call.answer(.json(answer))
                    } else {
                        step(call, query)
                    }
                } catch {
                    call.fail(APIError(error))
                }
            }
        }
    }
}

extension ReadReply {
    /// The store's reply as the pure side knows it.
    init(_ reply: StoreReply) {
        switch reply {
        case .null: self = .null
        case .integer(let number): self = .integer(number)
        case .bytes(let bytes): self = .bytes(bytes)
        case .status(let text): self = .bytes(Array(text.utf8))
        case .array(let items): self = .array(items.map(ReadReply.init))
        case .error(let text): self = .error(text)
        }
    }
}

extension RequestParameters {
    /// A misspelt name would be ignored in silence; `_` is what pages add to get past caches.
    ///
    /// - Throws: `unknown_parameter`.
    func refuseUnknown(besides known: Set<String>) throws(APIError) {
        guard let stranger = names.first(where: { !known.contains($0) && $0 != "_" }) else { return }
        throw APIError(
            code: "unknown_parameter", parameter: stranger,
            message: "\"\(stranger)\" is none of \(known.sorted().joined(separator: ", "))")
    }
}
