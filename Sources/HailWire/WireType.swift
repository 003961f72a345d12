import HailCore

/// The type of a line, as it stands in identities.
enum WireType {
    /// Behind a type: the paths count at their full length only.
    ///
    /// No line can have it, HTTP writes may.
    static let exactMark = "!"

    static func kind(of type: String) -> Kind? {
        switch type.hasSuffix(exactMark) ? String(type.dropLast()) : type {
        case "c": .counter
        case "g": .gauge
        case "ms", "h", "d": .timer
        case "s": .set
        default: nil
        }
    }

    /// The type that a kind is written with.
    static func text(of kind: Kind) -> String {
        switch kind {
        case .counter: "c"
        case .gauge: "g"
        case .timer: "ms"
        case .set: "s"
        }
    }
}
