import HailAggregate
import HailCore
import HailStore

/// Why an agent does not count into a store, for now or at all.
enum StoreEntryError: Error, CustomStringConvertible {
    /// It does not answer, or not yet.
    case away(String)
    /// It must not be used: it may evict, or this version cannot use such a store.
    case unfit(String)
    /// It was set up otherwise; one sentence a difference.
    case differs([String])

    var description: String {
        switch self {
        case .away(let reason), .unfit(let reason): reason
        case .differs(let differences):
            "the store was set up otherwise: " + differences.joined(separator: "; ")
                + " (start with the store's settings, change them with --migrate, or use another store)"
        }
    }
}

extension StoreEntryError {
    fileprivate init(_ error: StoreError) {
        self = StoreEntryError.isPassing(error) ? .away(error.description) : .unfit(error.description)
    }

    /// Whether waiting may mend it.
    private static func isPassing(_ error: StoreError) -> Bool {
        switch error {
        case .unreachable, .connectionLost: true
        case .refused(_, let reply):
            [
                "LOADING", "BUSY", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "MISCONF", "NOREPLICAS", "OOM",
            ].contains { reply.hasPrefix($0) }
        default: false
        }
    }
}

/// What an agent makes sure of before it counts into a store.
enum StoreEntry {
    /// What an agent finds where it may count.
    struct Standing {
        let policy: StorePolicy
        /// One sentence for each setting of the store that it changed.
        let migrated: [String]
        /// Of `hw:meta`.
        let fields: [String: String]
    }

    /// Checks that the store may not evict and that it agrees about what belongs to it; a new store learns that.
    static func enter(_ connector: StoreConnector, _ options: AgentOptions) throws(StoreEntryError) -> Standing {
        let policy: StorePolicy
        let claim: StoreMeta.Claim
        let fields: [String: String]
        do throws(StoreError) {
            var connection = try connector.connect()
            policy = try StorePolicy.check(over: &connection)
            let (settings, now) = (settings(options), WallClock.seconds)
            claim =
                options.isMigrating
                ? try StoreMeta.migrate(settings, nowSeconds: now, over: &connection)
                : try StoreMeta.claim(settings, nowSeconds: now, over: &connection)
            fields = StoreMeta.fields(in: try connection.send(RedisCommand(StoreMeta.readCommand)))
        } catch {
            throw StoreEntryError(error)
        }
        switch claim {
        case .differs(let differences): throw .differs(differences)
        case .migrated(let changes): return Standing(policy: policy, migrated: changes, fields: fields)
        case .created, .same: return Standing(policy: policy, migrated: [], fields: fields)
        }
    }

    /// Checks the store alone, and writes nothing.
    static func standing(_ connector: StoreConnector) throws(StoreEntryError) -> StorePolicy {
        do throws(StoreError) {
            var connection = try connector.connect()
            return try StorePolicy.check(over: &connection)
        } catch {
            throw StoreEntryError(error)
        }
    }

    static func settings(_ options: AgentOptions) -> StoreSettings {
        StoreSettings(
            resolutions: options.ladder.text,
            sketches: options.sketches.map { "\($0.widthSeconds)s:\($0.keptSeconds)s" }.joined(separator: ","),
            zones: options.zones.joined(separator: ","),
            views: options.views.map { View($0).name }.joined(separator: ","),
            maxValues: options.maxValues)
    }
}
