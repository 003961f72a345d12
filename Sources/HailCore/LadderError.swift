/// Why a list of resolutions was refused.
package enum LadderError: Error, Equatable {
    case malformed(String)
    case tooLong(String)
    case keptShorterThanWidth(String)
    case tooMany(Int)
    case notNested(fine: Int64, coarse: Int64)
}
