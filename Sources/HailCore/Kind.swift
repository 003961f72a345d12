/// What a metric's values are and how they add up.
///
/// A metric name may exist once under each kind.
package enum Kind: UInt8, Sendable, CaseIterable {
    /// Values are added; exact to millionths.
    case counter
    /// The newest value wins.
    case gauge
    /// Values are summed up as count, sum, extremes and a sketch.
    case timer
    /// Distinct members are counted.
    case set

    /// The letter that stands for the kind in digests, page fields and store keys.
    package var letter: UInt8 {
        switch self {
        case .counter: UInt8(ascii: "c")
        case .gauge: UInt8(ascii: "g")
        case .timer: UInt8(ascii: "t")
        case .set: UInt8(ascii: "s")
        }
    }

    /// The kind a stored letter stands for, or nil.
    package init?(letter: UInt8) {
        guard let kind = Kind.allCases.first(where: { $0.letter == letter }) else { return nil }
        self = kind
    }

    /// The word for the kind in answers: `counter`, `gauge`, `timer`, `set`.
    package var name: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .timer: "timer"
        case .set: "set"
        }
    }
}
