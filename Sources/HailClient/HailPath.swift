/// What a dimension may be set to: a text, a number, or a path from the general to the particular.
///
///     ["country": "US", "status": 404, "geo": ["US", "CA", "San Francisco"]]
///
/// An event counts at every prefix of a path. The empty path says only that the dimension applies.
public protocol HailPath: Sendable {
    /// The parts of the path below its dimension.
    var pathParts: [String] { get }
}

extension String: HailPath {
    /// The text as the only part.
    public var pathParts: [String] { [self] }
}

extension Int: HailPath {
    /// The number in decimal as the only part.
    public var pathParts: [String] { [String(self)] }
}

extension [String]: HailPath {
    /// The texts themselves.
    public var pathParts: [String] { self }
}
