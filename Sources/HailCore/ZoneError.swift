/// Why there are no rules for a name of a time zone.
package enum ZoneError: Error, Equatable {
    /// No zone is called so.
    case unknown
    /// There are no zones at all in the folder.
    case noZones(folder: String)
    /// Its file is none, or none that can be used.
    case unreadable(path: String, reason: String)

    /// Completes a sentence that begins with the name.
    package var reason: String {
        switch self {
        case .unknown: "is no known time zone"
        case .noZones(let folder):
            "cannot be looked up: there is no time zone data in \(folder) (Debian's package tzdata has it)"
        case .unreadable(let path, let reason): "cannot be used: \(path) \(reason)"
        }
    }
}
