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
    mutating func take(
        _ text: UnsafeBufferPointer<UInt8>, of field: CellRequest.Field, at place: CellPlace
    ) throws(QueryError) {
        switch field {
        case .name(let metric):
            known.insert(metric)
        case .counter(let cell, let offset, let isMillionths):
            let amount = Readings.amount(try StoredNumber.whole(text), isMillionths: isMillionths)
            note(cell)
            counters.update(.init(cell: cell, place: place), offset: offset) { $0 += amount }
        case .gauge(let cell, let offset):
            guard let gauge = GaugeTally(stored: text) else {
                throw Readings.unreadable("A gauge in the store holds something that is not a value and a time.")
            }
            note(cell)
            gauges.update(.init(cell: cell, place: place), offset: offset) { $0.merge(gauge) }
        case .timer(let cell, let offset, let component):
            let address = TallyTable<TimerTally>.Address(cell: cell, place: place)
            if component == .squares {
                let squares = try StoredNumber.float(text)
                timers.update(address, offset: offset) { $0.take(squares: squares) }
            } else {
                let number = try StoredNumber.whole(text)
                timers.update(address, offset: offset) { $0.take(component, number) }
            }
            note(cell)
        case .sketch(let cell, let offset, let scale):
            let count = try StoredNumber.whole(text)
            note(cell)
            timers.update(.init(cell: cell, place: place), offset: offset) {
                $0.take(sketchBucket: scale, count: count)
            }
        }
    }

    /// Takes a counter's strip that was read whole; fields that are no offset are passed over.
    mutating func take(strip fields: TextList, ofCounter cell: Int, at place: CellPlace) throws(QueryError) {
        var isKnown = false
        try counters.updateRow(.init(cell: cell, place: place)) { row throws(QueryError) in
            try fields.withTexts { texts throws(QueryError) in
                for index in stride(from: 0, to: fields.count - 1, by: 2) {
                    guard let name = texts[index], let text = texts[index + 1],
                        let (offset, isMillionths) = CellRequest.counterOffset(name)
                    else { continue }
                    row[offset] += Readings.amount(try StoredNumber.whole(text), isMillionths: isMillionths)
                    isKnown = true
                }
            }
        }
        if isKnown { note(cell) }
    }

    private static func amount(_ count: Int64, isMillionths: Bool) -> Amount {
        isMillionths ? Amount(whole: 0, millionths: count) : Amount(whole: count, millionths: 0)
    }

    /// Takes the members that a set cell keeps as they are.
    mutating func take(members: TextList, cell: Int, offset: Int, at place: CellPlace) throws(QueryError) {
        guard !members.isEmpty else { return }
        var numbers: [UInt64] = []
        try members.withTexts { texts throws(QueryError) in
            for index in 0..<members.count {
                guard let text = texts[index], let number = SetTally.member(text) else {
                    throw Readings.unreadable("A set in the store has a member that is not eight bytes.")
                }
                numbers.append(number)
            }
        }
        note(cell)
        sets.update(.init(cell: cell, place: place), offset: offset) { $0.insert(numbers) }
    }

    /// Takes a quarter of a set cell.
    mutating func take(
        distinct reply: ReadReply, cell: Int, offset: Int, at place: CellPlace, quarter: Int
    ) throws(QueryError) {
        guard let bytes = try reply.value() else { return }
        guard let part = HyperLogLog(stored: bytes) else {
            throw Readings.unreadable("A set in the store holds something that is no HyperLogLog.")
        }
        note(cell)
        sets.update(.init(cell: cell, place: place), offset: offset) { $0.merge(part, quarter: quarter) }
    }

    static func misshapen() -> QueryError {
        unreadable("The store answered a read with another number of fields than was asked.")
    }

    static func unreadable(_ message: String) -> QueryError { QueryError(.storeUnreadable, "", message) }
}
