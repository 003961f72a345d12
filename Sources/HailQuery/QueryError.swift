/// Why a query, or the parameters of a write, were refused; what an answer says under `error`.
package struct QueryError: Error, Hashable, Sendable {
    /// The word a program can act on.
    package enum Code: String, Sendable, CaseIterable {
        case badPath = "bad_path"
        case badMetric = "bad_metric"
        case badPeriod = "bad_period"
        case badZone = "bad_tz"
        case badValue = "bad_value"
        /// A percentile or a distinct count over a period that is read from cells without them.
        case noSketch = "no_sketch"
        /// The days of this zone reach beyond the cells that are fine enough for them.
        case zoneNotKept = "zone_not_kept"
        case tooCostly = "too_costly"
        /// The store answered with an error or with something that no agent wrote.
        case storeUnreadable = "store_unreadable"
    }

    package let code: Code
    /// The canonical name of the parameter at fault; empty where none is.
    package let parameter: String
    /// The value and what is allowed, for people.
    package let message: String

    package init(_ code: Code, _ parameter: String, _ message: String) {
        self.code = code
        self.parameter = parameter
        self.message = message
    }
}

/// How a refused value is shown in messages: quoted, and cut where it is long.
func quoted(_ text: some StringProtocol) -> String {
    let start = text.unicodeScalars.prefix(80)
    return start.endIndex == text.endIndex ? "\"\(text)\"" : "\"\(text[..<start.endIndex])…\""
}
