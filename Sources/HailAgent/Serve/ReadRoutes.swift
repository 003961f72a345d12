import HailCore
import HailNet
import HailQuery
import HailSeal
import HailStore

/// `/totals`, `/plotpoints`, `/rank`, and what is known by name: `/subdimensions`, `/subjects`, `/metrics_of`.
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
            "/totals": route(
                ["pk", "dimensions", "metrics", "periods", "period", "tz", "format"], as: ["period": "periods"]
            ) { parameters throws(QueryError) in
                try TotalsQuery(
                    parameters: parameters, now: WallClock.seconds, history: eras.value.history,
                    digester: NameDigest.blake2b, zones: zones.rules)
            },
            "/plotpoints": route(
                [
                    "pk", "dimensions", "metrics", "period", "periods", "depth", "sort", "limit", "threshold", "tz",
                    "with_totals", "descending", "format",
                ], as: ["periods": "period"]
            ) { parameters throws(QueryError) in
                try PlotpointsQuery(
                    parameters: parameters, now: WallClock.seconds, history: eras.value.history,
                    digester: NameDigest.blake2b, zones: zones.rules)
            },
            "/rank": route(
                ["pk", "dimensions", "metrics", "period", "periods", "recursive", "prune_parents", "tz", "format"],
                as: ["periods": "period"]
            ) { parameters throws(QueryError) in
                try RankQuery(
                    parameters: parameters, now: WallClock.seconds, history: eras.value.history,
                    digester: NameDigest.blake2b, zones: zones.rules)
            },
            "/subdimensions": route(["pk", "dimensions", "recursive", "format"]) { parameters throws(QueryError) in
                try SubdimensionsQuery(parameters: parameters, digester: NameDigest.blake2b)
            },
            "/subjects": route(["prefix", "limit"]) { parameters throws(QueryError) in
                try SubjectsQuery(parameters: parameters, digester: NameDigest.blake2b)
            },
            "/metrics_of": route(["pk"]) { parameters throws(QueryError) in
                try MetricsOfQuery(parameters: parameters, digester: NameDigest.blake2b)
            },
        ]
    }

    private func route<Query: StoreQuery>(
        _ names: Set<String>, as otherNames: [String: String] = [:],
        query: @escaping @Sendable ([String: JSONValue]) throws(QueryError) -> Query
    ) -> Router.Route {
        Router.Route(access: .read, isTagged: true) { call in
            try answer(call, knowing: names.union(["token"]), as: otherNames, query: query)
        }
    }

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
                        call.answer(.text(of: answer, as: query.form))
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

extension HTTPResponse {
    /// An answer in the form that was asked for.
    fileprivate static func text(of answer: JSONValue, as form: AnswerForm) -> HTTPResponse {
        var response = HTTPResponse.json(answer)
        if form == .csv { response.contentType = "text/csv; charset=utf-8; header=present" }
        return response
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
        case .texts(let texts): self = .texts(texts)
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
