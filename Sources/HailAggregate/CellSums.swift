import HailCore

/// What a cell of a kind other than counter gathered.
enum CellSums: Equatable {
    case timer(TimerSums)
    case gauge(GaugeMoves)
    /// Hashes of distinct members.
    case set(Set<UInt64>)

    /// Takes a sample of the kind's own in.
    init(_ sample: WindowSums.Sample, kind: Kind) {
        switch kind {
        case .timer, .counter: self = .timer(TimerSums())
        case .gauge: self = .gauge(GaugeMoves())
        case .set: self = .set([])
        }
        add(sample)
    }

    mutating func add(_ sample: WindowSums.Sample) {
        switch self {
        case .timer(var sums):
            self = .set([])
            sums.add(sample.value, weightMicros: sample.extra)
            self = .timer(sums)
        case .gauge(var moves):
            let value = Double(bitPattern: UInt64(bitPattern: sample.value))
            if sample.isMove {
                moves.move(by: value, timeMillis: sample.extra)
            } else {
                moves.set(value, timeMillis: sample.extra)
            }
            self = .gauge(moves)
        case .set(var members):
            self = .set([])
            members.insert(UInt64(bitPattern: sample.value))
            self = .set(members)
        }
    }

    /// Adds what came after, or elsewhere; kinds are the same, since a record has one.
    mutating func merge(_ later: CellSums) {
        switch (self, later) {
        case (.timer(var sums), .timer(let more)):
            self = .set([])
            sums.merge(more)
            self = .timer(sums)
        case (.gauge(var moves), .gauge(let more)):
            moves.merge(more)
            self = .gauge(moves)
        case (.set(var members), .set(let more)):
            self = .set([])
            members.formUnion(more)
            self = .set(members)
        default: break
        }
    }

    /// Bytes it takes in memory beside its own place, about.
    var byteCount: Int {
        switch self {
        case .timer(let sums): 32 + 24 * sums.sketch.capacity
        case .gauge: 0
        case .set(let members): 32 + 12 * members.capacity
        }
    }
}
