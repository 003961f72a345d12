/// What belongs to the whole store and must be the same for every agent that writes to it.
package struct StoreSettings: Equatable, Sendable {
    /// `Ladder.text`.
    package var resolutions: String
    package var sketches: String
    package var zones: String
    package var views: String
    package var maxValues: Int

    package static let layout = 1
    package static let shards = 256

    package init(resolutions: String, sketches: String, zones: String, views: String, maxValues: Int) {
        self.resolutions = resolutions
        self.sketches = sketches
        self.zones = zones
        self.views = views
        self.maxValues = maxValues
    }

    /// The fields of `hw:meta` in a fixed order; `valid-from` is the store's own.
    package var fields: [(name: String, value: String)] {
        [
            ("layout", "\(StoreSettings.layout)"), ("shards", "\(StoreSettings.shards)"),
            ("resolutions", resolutions), ("sketches", sketches), ("zones", zones), ("views", views),
            ("max_values", "\(maxValues)"),
        ]
    }

    /// One sentence for each setting that a store has otherwise; what it does not have is no difference.
    package func differences(from stored: [String: String]) -> [String] {
        fields.compactMap { name, value in
            stored[name].flatMap { $0 == value ? nil : StoreSettings.difference(name, stored: $0, own: value) }
        }
    }

    static func difference(_ name: String, stored: String, own: String) -> String {
        "\(name): the store has \"\(stored)\", this agent \"\(own)\""
    }
}
