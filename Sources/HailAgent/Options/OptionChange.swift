/// What it takes for another value of an option to hold in an agent that runs, as `docs/options.md` says it.
package enum OptionChange: String, Sendable {
    /// HUP.
    case reload = "HUP"
    /// The next start.
    case restart
    /// The next start, and `--migrate`: the value belongs to the store.
    case store = "restart, `--migrate`"
}
