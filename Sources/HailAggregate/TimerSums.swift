import HailCore

/// What the values of a timer come to.
///
/// Merging is commutative.
struct TimerSums: Equatable {
    /// Millionths of values; one that was sampled at 1 in 10 counts ten times.
    private(set) var countMicros: Int128 = 0
    /// Millionths.
    private(set) var sumMicros: Int128 = 0
    /// Millionths; meaningless while there is no value.
    private(set) var least = Int64.max
    /// Millionths.
    private(set) var greatest = Int64.min
    private(set) var squares = 0.0
    /// Millionths of values, by bucket of `SketchScale`.
    private(set) var sketch: [Int32: Int64] = [:]

    /// Adds a value of so many millionths that stands for `weightMicros` millionths of values.
    mutating func add(_ micros: Int64, weightMicros: Int64) {
        let value = Double(micros) / 1_000_000
        countMicros += Int128(weightMicros)
        let product = Int128(micros) * Int128(weightMicros)
        sumMicros += (product + (product < 0 ? -500_000 : 500_000)) / 1_000_000
        least = min(least, micros)
        greatest = max(greatest, micros)
        squares += value * value * Double(weightMicros) / 1_000_000
        let bucket = Int32(truncatingIfNeeded: SketchScale.bucket(of: value))
        sketch[bucket] = TimerSums.sum(sketch[bucket] ?? 0, weightMicros)
    }

    mutating func merge(_ other: TimerSums) {
        countMicros += other.countMicros
        sumMicros += other.sumMicros
        least = min(least, other.least)
        greatest = max(greatest, other.greatest)
        squares += other.squares
        sketch.merge(other.sketch) { TimerSums.sum($0, $1) }
    }

    /// A sum of weights that stays where it is at its bound: nine million values at the smallest rate.
    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, isOver) = left.addingReportingOverflow(right)
        return isOver ? .max : sum
    }
}
