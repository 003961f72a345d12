import HailCore

/// What became of the last order to read the configuration again.
struct ReloadReport: Equatable, Sendable {
    /// Unix seconds; nil where there was none since the start.
    var atSeconds: Int64?
    /// Why it changed nothing.
    var error: String?
    /// Options whose other values wait for a restart.
    var waiting: [String] = []

    /// As `/status` shows it.
    var json: JSONValue {
        .object([
            .init("at", atSeconds.map { .number("\($0)") } ?? .null), .init("failed", .bool(error != nil)),
            .init("error", error.map { .string($0) } ?? .null),
            .init("waiting_for_restart", .array(waiting.map { .string($0) })),
        ])
    }
}
