/// The names that lines may not use as a part: the agent writes them itself.
package enum Reserved {
    /// The overall group, and the subject of events without one.
    package static let overall = "_"
    /// Where folded values are counted.
    package static let other = "__other__"
    /// Joins the dimensions of a declared view.
    package static let cross = "×"

    /// Whether a text holds the cross, a mark on top of it or not.
    package static func isCrossed(_ text: String) -> Bool {
        // By scalars, since with a combining mark it is another character.
        text.unicodeScalars.contains { cross.unicodeScalars.contains($0) }
    }
}
