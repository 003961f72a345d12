import HailCore

/// What cells hold, in a form that adds up: over the places of a cell, over buckets of time, and over groups.
///
/// Merging is associative and commutative, so no order of reading changes an answer.
protocol Tally: Sendable {
    /// What no cell at all comes to.
    static var zero: Self { get }

    mutating func merge(_ other: Self)
}

extension Amount: Tally {
    mutating func merge(_ other: Amount) { self += other }
}
