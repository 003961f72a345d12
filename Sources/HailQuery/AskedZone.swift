package import HailCore

/// The zone that a call's `tz` names.
package enum AskedZone {
    /// What an error says is allowed.
    static let allowed = "write UTC, an offset such as +0530 or -05:00, or an IANA name such as America/New_York"

    /// Reads `UTC`, `±HHMM`, `±HH:MM`, or a name the finder knows.
    ///
    /// A leading space is a `+` that a query string lost.
    ///
    /// - Throws: `bad_tz`.
    package static func rules(_ text: String, finder: ZoneRules.Finder) throws(QueryError) -> ZoneRules {
        if text.isEmpty || ["UTC", "Etc/UTC", "GMT", "Z"].contains(text) { return .utc }
        if let offset = offset(parsing: text) { return ZoneRules(name: text, offsetSeconds: offset) }
        do throws(ZoneError) { return try finder(text) } catch {
            throw QueryError(.badZone, "tz", "\(quoted(text)) \(error.reason); \(allowed).")
        }
    }

    private static func offset(parsing text: String) -> Int64? {
        var bytes = Array(text.utf8)
        guard bytes.count >= 5, bytes.count <= 6 else { return nil }
        if bytes.count == 6 {
            guard bytes[3] == UInt8(ascii: ":") else { return nil }
            bytes.remove(at: 3)
        }
        let digits = bytes.dropFirst().map { Int64($0) - 48 }
        guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        let minutes = digits[2] * 10 + digits[3]
        let seconds = (digits[0] * 10 + digits[1]) * 3_600 + minutes * 60
        guard minutes < 60, seconds <= 14 * 3_600 else { return nil }
        switch bytes[0] {
        case UInt8(ascii: "+"), UInt8(ascii: " "): return seconds
        case UInt8(ascii: "-"): return -seconds
        default: return nil
        }
    }
}
