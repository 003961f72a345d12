/// One event of the spy log.
struct SpyLine: Sendable {
    /// The number of the text it came in; later texts have greater ones.
    let number: UInt64
    /// Its place in that text.
    let place: Int
    /// When it was taken in: milliseconds since the Unix epoch.
    let millis: Int64
    /// Empty is the overall subject; DogStatsD events have none.
    let subject: [String]
    let text: String

    static func isNewer(_ left: SpyLine, _ right: SpyLine) -> Bool {
        (left.number, left.place) > (right.number, right.place)
    }
}
