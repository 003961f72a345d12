/// What the values of a gauge come to: the newest value that was set, and how far it was moved since.
///
/// Where nothing was set, only the move is known, and the store adds it to what it holds.
struct GaugeMoves: Equatable {
    /// The value, moves since included; nil where none was set.
    private(set) var value: Double?
    /// The move, where none was set.
    private(set) var move = 0.0
    /// Milliseconds since the Unix epoch of the newest value or move.
    private(set) var timeMillis = Int64.min

    mutating func set(_ value: Double, timeMillis: Int64) {
        guard timeMillis >= self.timeMillis else {
            // Older than moves that have nothing to start from: they start from it.
            if self.value == nil {
                self.value = GaugeMoves.sum(value, move)
                move = 0
            }
            return
        }
        self.value = value
        move = 0
        self.timeMillis = timeMillis
    }

    mutating func move(by delta: Double, timeMillis: Int64) {
        if let value { self.value = GaugeMoves.sum(value, delta) } else { move = GaugeMoves.sum(move, delta) }
        self.timeMillis = max(self.timeMillis, timeMillis)
    }

    /// Adds what came after, or elsewhere at the same time.
    mutating func merge(_ later: GaugeMoves) {
        if let value = later.value {
            set(value, timeMillis: later.timeMillis)
        } else {
            move(by: later.move, timeMillis: later.timeMillis)
        }
    }

    /// A sum that is a decimal again where both were: 0.1 + 0.2 is 0.3.
    private static func sum(_ left: Double, _ right: Double) -> Double {
        let sum = left + right
        guard abs(sum) < 9e9 else { return sum.isFinite ? sum : left }
        let scaled = sum * 1_000_000
        let nearest = Double(Int64(scaled < 0 ? scaled - 0.5 : scaled + 0.5)) / 1_000_000
        // Only what adding may have got wrong is mended: finer values keep their digits.
        return abs(nearest - sum) <= 2 * max(abs(left), abs(right)).ulp ? nearest : sum
    }
}
