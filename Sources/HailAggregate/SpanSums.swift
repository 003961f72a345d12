package import HailCore

/// Sums over one span of time, on their way into batches.
package struct SpanSums: Equatable, Sendable {
    /// What keeps spans apart: spans of the same key are added up.
    package struct Key: Hashable, Sendable {
        package let startSeconds: Int64
        /// The finest width that the sums still know.
        package let widthSeconds: Int64
        package let condition: BatchGroup.Condition?
    }

    package var records: [UInt32] = []
    /// Millionths, by the place in `records`.
    package var sums: [Int128] = []
    /// What the other kinds gathered, by record.
    var cells: [UInt32: CellSums] = [:]

    /// Records held.
    var entryCount: Int { records.count + cells.count }

    /// Bytes they take, about: a counter's number and its sum, what the others hold, and two arrays' heads.
    var byteCount: Int {
        64 + records.capacity * 4 + sums.capacity * 16 + cells.values.reduce(96 * cells.capacity) { $0 + $1.byteCount }
    }

    /// Adds what came after, or elsewhere.
    mutating func merge(_ other: SpanSums) {
        cells.merge(other.cells) { held, later in
            var sum = held
            sum.merge(later)
            return sum
        }
        guard !records.isEmpty else {
            records = other.records
            sums = other.sums
            return
        }
        var places: [UInt32: Int] = [:]
        places.reserveCapacity(records.count)
        for (place, record) in records.enumerated() { places[record] = place }
        for (place, record) in other.records.enumerated() {
            if let held = places[record] {
                sums[held] &+= other.sums[place]
            } else {
                records.append(record)
                sums.append(other.sums[place])
            }
        }
    }
}
