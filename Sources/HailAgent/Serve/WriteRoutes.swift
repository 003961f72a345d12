import Dispatch
import HailCore
import HailNet
import HailQuery
import HailSeal

/// `/count`, `/count_now`, `/update_count_to`, `/flush_hail` and `POST /lines`.
struct WriteRoutes: Sendable {
    /// Where HTTP's own lines and events are taken in.
    let lane: Lane
    /// Where writes with an `Idempotency-Key` are taken in: each is a window of its own.
    let onceLane: Lane
    let lanes: [Lane]
    let flusher: Flusher
    let ledger: Ledger
    let ladder: Ladder

    /// How long the store remembers an `Idempotency-Key`.
    private static let keyKeptSeconds: UInt32 = 86_400
    private static let keyBytes = 256
    /// The longest body that may count once: its cells must fit one script call a shard.
    private static let onceBodyBytes = 64 << 10

    var routes: [String: Router.Route] {
        [
            "/count": Router.Route(access: .write, methods: ["GET", "POST"]) { try count($0, waiting: false) },
            "/count_now": Router.Route(access: .write, methods: ["GET", "POST"]) { try count($0, waiting: true) },
            "/update_count_to": Router.Route(access: .write, methods: ["GET", "POST"]) {
                try count($0, as: .gauge, waiting: false)
            },
            "/flush_hail": Router.Route(access: .write, methods: ["GET", "POST"]) { call in
                try call.parameters.refuseUnknown(besides: ["token"])
                flush(call)
            },
            "/lines": Router.Route(access: .write, methods: ["POST"], takesBody: true) { try lines($0) },
        ]
    }

    // MARK: /count, /count_now, /update_count_to

    private func count(_ call: Router.Call, as kind: Kind = .counter, waiting: Bool) throws {
        let event = try WriteRoutes.event(from: call.parameters, as: kind, ladder: ladder)
        let condition = try condition(of: call.request)
        let lane = condition == nil ? self.lane : onceLane
        lane.queue.async {
            do throws(LineError) {
                try lane.take(event: event)
            } catch {
                call.fail(WriteRoutes.refusal(error))
                return
            }
            let window = waiting || condition != nil ? lane.close(condition: condition) : nil
            guard waiting else { return call.answer(.ok) }
            wait(for: window.map { [$0] } ?? [], .store, call) { .ok }
        }
    }

    static func event(
        from parameters: RequestParameters, as kind: Kind = .counter, ladder: Ladder
    ) throws -> CountedEvent {
        try parameters.refuseUnknown(besides: ["pk", "dimensions", "metrics", "at", "token"])
        let write = try WriteParameters.read(parameters, as: kind)
        guard let at = parameters["at"] else {
            return CountedEvent(name: write.name, micros: write.micros, timeSeconds: nil)
        }
        let text: String
        switch at {
        case .number(let number): text = number
        case .string(let string): text = string
        default: text = ""
        }
        guard let seconds = EventTime.seconds(text) else {
            throw APIError(
                code: "bad_at", parameter: "at",
                message: "\(APIError.shown(at)) is no time: allowed are \(EventTime.allowed)")
        }
        let now = WallClock.seconds
        guard seconds >= now - ladder.longestKeptSeconds else {
            throw APIError(
                code: "late", parameter: "at",
                message: "\(APIError.shown(at)) lies before everything that is kept: \(ladder.longestKeptSeconds) s")
        }
        guard seconds <= now + Limits.futureSeconds else {
            throw APIError(
                code: "future", parameter: "at",
                message: "\(APIError.shown(at)) lies more than \(Limits.futureSeconds) s ahead of the agent's clock")
        }
        return CountedEvent(name: write.name, micros: write.micros, timeSeconds: seconds)
    }

    private static func refusal(_ error: LineError) -> APIError {
        APIError(code: error.rawValue, message: "the event was refused: \(error.rawValue)")
    }

    // MARK: /flush_hail

    private func flush(_ call: Router.Call) {
        let barrier = LaneBarrier(count: lanes.count) {
            wait(for: Set(ledger.pendingWindows), .store, call) { .ok }
        }
        for lane in lanes {
            lane.queue.async {
                lane.close()
                barrier.arrive()
            }
        }
    }

    // MARK: /lines

    private func lines(_ call: Router.Call) throws {
        try call.parameters.refuseUnknown(besides: ["wait", "token"])
        let level = try waitLevel(call.parameters)
        let body = call.request.body
        if body.first == 0xF8 {
            throw APIError(
                status: 403, code: "unknown_key",
                message: "sealed frames need a key registry, which this version has not")
        }
        let condition = try condition(of: call.request)
        guard condition == nil || body.count <= WriteRoutes.onceBodyBytes else {
            throw APIError(
                status: 413, code: "too_large",
                message: "a body with an Idempotency-Key takes at most \(WriteRoutes.onceBodyBytes) bytes")
        }
        let lane = condition == nil ? self.lane : onceLane
        lane.queue.async {
            let receipt = lane.take(body: body)
            let response = HTTPResponse.json(
                .object([
                    .init("accepted", .number("\(receipt.accepted)")),
                    .init(
                        "rejected",
                        .array(
                            receipt.refusals.map {
                                .object([
                                    .init("line", .number("\($0.line)")), .init("reason", .string($0.reason.rawValue)),
                                ])
                            })),
                ]))
            let window = level != nil || condition != nil ? lane.close(condition: condition) : nil
            guard let level else { return call.answer(response) }
            wait(for: receipt.closedWindows.union(window.map { [$0] } ?? []), level, call) { response }
        }
    }

    private func waitLevel(_ parameters: RequestParameters) throws -> Waiters.Level? {
        switch parameters["wait"] {
        case nil, .string("none"): nil
        case .string("spool"): .spool
        case .string("store"): .store
        default:
            throw APIError(
                code: "bad_wait", parameter: "wait",
                message: "\(APIError.shown(parameters["wait"])) is none of none, spool, store")
        }
    }

    // MARK: Shared

    private func wait(
        for windows: Set<UInt64>, _ level: Waiters.Level, _ call: Router.Call,
        _ response: @escaping @Sendable () -> HTTPResponse
    ) {
        flusher.wait(for: windows, level: level) { isSafe in
            if isSafe { call.answer(response()) } else { call.fail(.unknown) }
        }
    }

    private func condition(of request: HTTPRequest) throws -> BatchGroup.Condition? {
        guard let key = request.headers["Idempotency-Key"] else { return nil }
        guard !key.isEmpty, key.utf8.count <= WriteRoutes.keyBytes else {
            throw APIError(
                code: "bad_idempotency_key", parameter: "Idempotency-Key",
                message: "an Idempotency-Key has 1 to \(WriteRoutes.keyBytes) bytes")
        }
        // The path is part of the id: the same key on another call is another write.
        let id = NameDigest.blake2b(Array("i\(request.path)\u{0}\(key)".utf8))
        return BatchGroup.Condition(onceID: id, keptSeconds: WriteRoutes.keyKeptSeconds)
    }
}
