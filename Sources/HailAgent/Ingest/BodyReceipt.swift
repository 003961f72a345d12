/// What became of the lines of one request body.
struct BodyReceipt: Sendable {
    var accepted: UInt64 = 0
    var refusals: [LineRefusal] = []
    /// Windows that were full and closed while the body was still being taken in: they hold a part of it.
    var closedWindows: Set<UInt64> = []
}
