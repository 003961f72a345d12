import HailCore

/// A line of a request that was refused.
struct LineRefusal: Equatable, Sendable {
    /// From 1.
    let line: UInt32
    let reason: LineError
}
