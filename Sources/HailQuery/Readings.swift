import HailCore

/// The cells that a plan found, added up over the places each may lie in.
package struct Readings: Sendable {
    /// What each index of a cell within its group stands for.
    private let sources: [KnownNames.Metric]
    private(set) var counters = TallyTable<Amount>()
    private(set) var gauges = TallyTable<GaugeTally>()
    private(set) var timers = TallyTable<TimerTally>()
    private(set) var sets = TallyTable<SetTally>()
    /// The metrics of which a cell or the name was found.
    package private(set) var known: Set<KnownNames.Metric> = []

    init(sources: [KnownNames.Metric]) { self.sources = sources }

    /// The cells of a metric at some groups; empty where it was not read.
    func cells(of metric: KnownNames.Metric, groups: [Int]) -> [Int] {
        guard let index = sources.firstIndex(of: metric) else { return [] }
        return groups.map { $0 * sources.count + index }
    }

    private mutating func note(_ cell: Int) { known.insert(sources[cell % sources.count]) }

    /// Takes what one field of a hash holds.
    mutating func take(_ reply: ReadReply, of field: CellRequest.Field, at place: CellPlace) throws(QueryError) {
        switch field {
        case .name(let metric):
            if try reply.value() != nil { known.insert(metric) }
        case .counter(let cell, let offset, let isMillionths):
            guard let count = try reply.count() else { return }
            note(cell)
            counters.update(.init(cell: cell, resolution: place.resolution), bucket: place.bucket(at: offset)) {
                $0 += isMillionths ? Amount(whole: 0, millionths: count) : Amount(whole: count, millionths: 0)
            }
        case .gauge(let cell, let offset):
            guard let bytes = try reply.value() else { return }
            guard let gauge = GaugeTally(stored: bytes) else {
                throw Readings.unreadable("A gauge in the store holds something that is not a value and a time.")
            }
            note(cell)
            gauges.update(.init(cell: cell, resolution: place.resolution), bucket: place.bucket(at: offset)) {
                $0.merge(gauge)
            }
        case .timer(let cell, let offset, let component):
            let address = TallyTable<TimerTally>.Address(cell: cell, resolution: place.resolution)
            if component == .squares {
                guard let squares = try reply.float() else { return }
                timers.update(address, bucket: place.bucket(at: offset)) { $0.take(squares: squares) }
            } else {
                guard let number = try reply.count() else { return }
                timers.update(address, bucket: place.bucket(at: offset)) { $0.take(component, number) }
            }
            note(cell)
        case .sketch(let cell, let bucket, let scale):
            guard let count = try reply.count() else { return }
            note(cell)
            timers.update(.init(cell: cell, resolution: place.resolution), bucket: bucket) {
                $0.take(sketchBucket: scale, count: count)
            }
        }
    }

    /// Takes the members that a set cell keeps as they are.
    mutating func take(
        members: [ReadReply], cell: Int, _ resolution: Resolution, _ bucket: Int64
    ) throws(QueryError) {
        guard !members.isEmpty else { return }
        var numbers: [UInt64] = []
        for member in members {
            guard case .bytes(let bytes) = member, let number = SetTally.member(bytes) else {
                throw Readings.unreadable("A set in the store has a member that is not eight bytes.")
            }
            numbers.append(number)
        }
        note(cell)
        sets.update(.init(cell: cell, resolution: resolution), bucket: bucket) { $0.insert(numbers) }
    }

    /// Takes a quarter of a set cell.
    mutating func take(
        distinct reply: ReadReply, cell: Int, _ resolution: Resolution, _ bucket: Int64, quarter: Int
    ) throws(QueryError) {
        guard let bytes = try reply.value() else { return }
        guard let part = HyperLogLog(stored: bytes) else {
            throw Readings.unreadable("A set in the store holds something that is no HyperLogLog.")
        }
        note(cell)
        sets.update(.init(cell: cell, resolution: resolution), bucket: bucket) { $0.merge(part, quarter: quarter) }
    }

    static func misshapen() -> QueryError {
        unreadable("The store answered a read with another number of fields than was asked.")
    }

    static func unreadable(_ message: String) -> QueryError { QueryError(.storeUnreadable, "", message) }
}
