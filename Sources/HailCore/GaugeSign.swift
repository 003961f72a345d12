/// What a gauge's value with a sign means.
package enum GaugeSign: String, CaseIterable, Sendable {
    case delta
    case value
    /// A move, unless the line shows that a DogStatsD client wrote it.
    case auto
}
