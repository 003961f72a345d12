import HailCore
import HailStore

/// What an agent makes sure of before it counts into a store.
enum StoreEntry {
    /// Checks that the store may not evict and that it agrees about what belongs to it.
    ///
    /// - Throws: `StoreError`, or `Refusal` with the sentences for the operator.
    static func enter(_ connector: StoreConnector, _ options: AgentOptions) throws -> StorePolicy {
        var connection = try connector.connect()
        let policy = try StorePolicy.check(over: &connection)
        let claim = try StoreMeta.claim(settings(options), nowSeconds: WallClock.seconds, over: &connection)
        if case .differs(let differences) = claim { throw Refusal(differences: differences) }
        return policy
    }

    /// The store was set up otherwise.
    struct Refusal: Error, CustomStringConvertible {
        let differences: [String]

        var description: String {
            "the store was set up otherwise: " + differences.joined(separator: "; ")
                + " (start with the store's settings, or use another store)"
        }
    }

    static func settings(_ options: AgentOptions) -> StoreSettings {
        StoreSettings(
            resolutions: options.ladder.text,
            sketches: options.sketches.map { "\($0.widthSeconds)s:\($0.keptSeconds)s" }.joined(separator: ","),
            zones: options.zones.joined(separator: ","),
            views: options.views.map { $0.joined(separator: Reserved.cross) }.joined(separator: ","),
            maxValues: options.maxValues)
    }
}
