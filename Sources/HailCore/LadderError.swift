/// Why a list of resolutions was refused, or the zones whose days it should keep.
package enum LadderError: Error, Equatable {
    case malformed(String)
    case tooLong(String)
    case keptShorterThanWidth(String)
    case tooMany(Int)
    case notNested(fine: Int64, coarse: Int64)
    /// There is no resolution of whole days.
    case noDays
    /// The finest buckets lie in two days of a zone.
    case oddZone(String, offsetSeconds: Int64, finest: Int64)
    /// Two zones would have the same store keys.
    case sharedKey(String)
}
