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

    /// Where each record of one span lies in it: scratch of `merge`, by record.
    struct Places {
        /// One more than the place; all 0 between two merges.
        fileprivate var places: [UInt32] = []
    }

    /// Adds what came after, or elsewhere.
    mutating func merge(_ other: SpanSums, _ scratch: inout Places) {
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
        guard !other.records.isEmpty else { return }
        let bound = Int(max(records.max() ?? 0, other.records.max() ?? 0)) + 1
        if scratch.places.count < bound {
            scratch.places.append(contentsOf: repeatElement(0, count: bound - scratch.places.count))
        }
        for (place, record) in records.enumerated() { scratch.places[Int(record)] = UInt32(place + 1) }
        let held = records.count
        for (place, record) in other.records.enumerated() {
            let known = scratch.places[Int(record)]
            if known > 0 {
                sums[Int(known - 1)] &+= other.sums[place]
            } else {
                records.append(record)
                sums.append(other.sums[place])
            }
        }
        for record in records[..<held] { scratch.places[Int(record)] = 0 }
    }
}
