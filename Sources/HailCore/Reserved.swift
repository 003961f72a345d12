/// The names that lines may not use as a part: the agent writes them itself.
package enum Reserved {
    /// The overall group, and the subject of events without one.
    package static let overall = "_"
    /// Where folded values are counted.
    package static let other = "__other__"
    /// Joins the dimensions of a declared view.
    package static let cross = "×"
}
