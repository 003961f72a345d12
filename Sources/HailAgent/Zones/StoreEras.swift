import HailCore
import HailQuery
import HailSeal
import HailStore

/// What `hw:meta` says about resolutions: which hold, which held before, and whether this agent counts by other ones.
struct StoreEras: Sendable {
    let history: LadderHistory
    /// One sentence for each setting of the store that is another than this agent's.
    let differences: [String]
    private let fields: [String: String]

    /// Eras that are looked at; of older ones nothing is kept any more.
    private static let limit = 32

    /// What an agent goes by before it knows the store's.
    init(_ options: AgentOptions) {
        history = LadderHistory(options.keptLadder, sketches: options.sketches)
        differences = []
        fields = [:]
    }

    /// - Parameter fields: of `hw:meta`.
    init(_ fields: [String: String], _ options: AgentOptions, zones: ZoneFolder, nowSeconds: Int64) {
        self.fields = fields
        differences = StoreEntry.settings(options).differences(from: fields)
        let settings = ["resolutions", "zones", "sketches"]
        var ends: Set<Int64> = []
        for name in fields.keys {
            let halves = name.split(separator: "@", maxSplits: 1)
            if halves.count == 2, settings.contains(String(halves[0])), let end = Int64(halves[1]) { ends.insert(end) }
        }
        let sorted = ends.sorted().suffix(StoreEras.limit)
        /// What a setting was until an instant, or is now.
        func value(_ name: String, until end: Int64?) -> String {
            let later = end.map { end in sorted.filter { $0 >= end } } ?? []
            return later.lazy.compactMap { fields["\(name)@\($0)"] }.first ?? fields[name] ?? ""
        }
        func era(from start: Int64, until end: Int64?) -> LadderHistory.Era? {
            guard let plain = try? Ladder(parsing: value("resolutions", until: end)) else { return nil }
            let rules = value("zones", until: end).split(separator: ",").compactMap { try? zones.rules(String($0)) }
            let ladder = try? plain.keepingDays(of: rules, nowSeconds: nowSeconds, digester: NameDigest.blake2b)
            return LadderHistory.Era(
                fromSeconds: start, ladder: ladder ?? plain,
                sketches: value("sketches", until: end).split(separator: ",").flatMap {
                    (try? Ladder(parsing: String($0)))?.inUTC ?? []
                })
        }
        var former: [LadderHistory.Era] = []
        var start = Int64.min
        for end in sorted {
            if let era = era(from: start, until: end) { former.append(era) }
            start = end
        }
        let present = LadderHistory.Era(
            fromSeconds: start, ladder: options.keptLadder, sketches: options.sketches)
        history = LadderHistory(
            former, present: era(from: start, until: nil) ?? present, viewStarts: StoreEras.viewStarts(fields))
    }

    /// From when on each view is counted that was not always.
    private static func viewStarts(_ fields: [String: String]) -> [Name: Int64] {
        func names(_ text: String) -> Set<Name> { Set(text.split(separator: ",").map { Name(String($0)) }) }
        let former = fields.compactMap { name, text -> (end: Int64, views: Set<Name>)? in
            guard name.hasPrefix("views@"), let end = Int64(name.dropFirst(6)) else { return nil }
            return (end, names(text))
        }
        var starts: [Name: Int64] = [:]
        for view in names(fields["views"] ?? "") {
            starts[view] = former.filter { !$0.views.contains(view) }.map(\.end).max()
        }
        return starts
    }

    /// The same where the store still says the same, else what it says now.
    func updated(
        _ fields: [String: String], _ options: AgentOptions, zones: ZoneFolder, nowSeconds: Int64
    ) -> StoreEras {
        fields == self.fields ? self : StoreEras(fields, options, zones: zones, nowSeconds: nowSeconds)
    }
}
