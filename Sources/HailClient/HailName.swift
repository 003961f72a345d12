/// Whom or what an event is about: the parts of a name.
///
/// A text is split at its dots, as StatsD names are; a list keeps its parts as they are, whatever letters they have:
///
///     client.count("api.users.get")
///     client.count(["api", host, "get"])    // also where the host is 10.0.0.7
public struct HailName: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    /// The parts, in order; empty ones are not sent.
    public let parts: [String]

    /// The parts between the dots of a text.
    public init(_ dotted: String) { parts = dotted.split(separator: ".").map(String.init) }

    /// These parts; a dot within one is part of it.
    public init(parts: [String]) { self.parts = parts }

    /// The parts between the dots of a text.
    public init(stringLiteral dotted: String) { self.init(dotted) }

    /// These parts; a dot within one is part of it.
    public init(arrayLiteral parts: String...) { self.init(parts: parts) }
}
