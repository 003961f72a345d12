import HailCore

/// What a timer's cells come to: count, sum, extremes, sum of squares and a sketch of how the values are spread.
struct TimerTally: Tally {
    private(set) var count = Amount.zero
    private(set) var sum = Amount.zero
    /// The sum of the squares.
    private(set) var squares = 0.0
    /// Millionths; nil where it is not known.
    private(set) var least: Int64?
    private(set) var greatest: Int64?
    private(set) var sketch = Sketch()

    static let zero = TimerTally()

    /// Takes what one place holds of a component that is a whole number.
    mutating func take(_ component: TimerComponent, _ number: Int64) {
        switch component {
        case .count: count += Amount(whole: number, millionths: 0)
        case .countMillionths: count += Amount(whole: 0, millionths: number)
        case .sum: sum += Amount(whole: number, millionths: 0)
        case .sumMillionths: sum += Amount(whole: 0, millionths: number)
        case .least: least = Swift.min(least ?? number, number)
        case .greatest: greatest = Swift.max(greatest ?? number, number)
        case .squares: squares += Double(number)
        }
    }

    mutating func take(squares more: Double) { squares += more }

    mutating func take(sketchBucket bucket: Int, count: Int64) { sketch.add(count, to: bucket) }

    mutating func merge(_ other: TimerTally) {
        count += other.count
        sum += other.sum
        squares += other.squares
        if let number = other.least { take(.least, number) }
        if let number = other.greatest { take(.greatest, number) }
        sketch.merge(other.sketch)
    }

    /// One of its numbers; 0 where nothing was timed.
    func value(_ statistic: MetricTerm.Statistic) -> Quantity {
        switch statistic {
        case .count: Quantity(count)
        case .sum: Quantity(sum)
        case .mean: Quantity(sum).divided(by: Quantity(count))
        case .min: Quantity(Amount(micros: Int128(least ?? 0)))
        case .max: Quantity(Amount(micros: Int128(greatest ?? 0)))
        case .stddev: Quantity(approximately: standardDeviation)
        case .percentile(let millionths): percentile(millionths)
        }
    }

    /// Of the whole population: √(Σx²/n − (Σx/n)²).
    private var standardDeviation: Double {
        guard count > .zero else { return 0 }
        let mean = sum.double / count.double
        let variance = squares / count.double - mean * mean
        // Below the last digits of the two terms their difference is noise.
        guard variance.isFinite, variance > 4 * mean.ulp * abs(mean) else { return 0 }
        return variance.squareRoot()
    }

    private func percentile(_ millionths: Int) -> Quantity {
        guard let estimate = sketch.quantile(millionthsOfPercent: millionths) else { return .zero }
        // The extremes are exact where the sketch is not.
        if let least, estimate <= Double(least) / 1_000_000 { return Quantity(Amount(micros: Int128(least))) }
        if let greatest, estimate >= Double(greatest) / 1_000_000 { return Quantity(Amount(micros: Int128(greatest))) }
        return Quantity(approximately: estimate)
    }
}
