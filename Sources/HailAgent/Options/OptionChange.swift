/// What it takes for another value of an option to hold in an agent that runs.
package enum OptionChange: String, Sendable {
    /// HUP.
    case reload = "HUP"
    /// The next start.
    case restart
    /// The next start, and `--migrate`: the value belongs to the store.
    case store
}
