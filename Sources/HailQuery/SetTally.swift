import HailCore

/// The distinct members of set cells: themselves while they are few, HyperLogLogs where they were many.
struct SetTally: Tally {
    /// Members kept as they are, each as the number its eight bytes are little-endian.
    private var members: Set<UInt64> = []
    /// By quarter; nil where nothing was kept in it.
    private var quarters = [HyperLogLog?](repeating: nil, count: Int(SetCell.quarters))

    static let zero = SetTally()

    /// The number of a member that is kept as it is; nil where it has not eight bytes.
    static func member(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64? {
        guard bytes.count == 8 else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func insert(_ more: [UInt64]) { members.formUnion(more) }

    /// - Parameter quarter: 0…3.
    mutating func merge(_ part: HyperLogLog, quarter: Int) {
        if quarters[quarter] == nil { quarters[quarter] = part } else { quarters[quarter]?.merge(part) }
    }

    mutating func merge(_ other: SetTally) {
        members.formUnion(other.members)
        for (index, part) in other.quarters.enumerated() {
            if let part { merge(part, quarter: index) }
        }
    }

    /// How many members there are: exact where all of them are kept as they are, else an estimate.
    var count: Quantity {
        guard quarters.contains(where: { $0 != nil }) else { return Quantity(Int64(members.count)) }
        let parts = Dictionary(grouping: members) {
            Int(SetCell.quarter(ofMember: UInt8(truncatingIfNeeded: $0))) - 1
        }
        var sum = 0.0
        for (index, quarter) in quarters.enumerated() {
            var part = quarter ?? HyperLogLog()
            if let more = parts[index] { part.insert(more) }
            sum += part.estimate
        }
        let rounded = sum.rounded()
        return Int64(exactly: rounded).map { Quantity($0) } ?? Quantity(approximately: rounded)
    }
}
