import HailCore

/// A counter's sum in one span.
struct CounterRow {
    /// The subject's number, then the record's.
    let key: UInt64
    let startSeconds: Int64
    let widthSeconds: Int64
    let sum: Int128

    var record: UInt32 { UInt32(truncatingIfNeeded: key) }

    /// The sums of spans, subjects together, counter by counter, in order of time.
    static func sorted(_ spans: [(key: SpanSums.Key, value: SpanSums)], by book: CellBook) -> [CounterRow] {
        var rows: [CounterRow] = []
        rows.reserveCapacity(spans.reduce(0) { $0 + $1.value.records.count })
        let records = book.records
        for (key, span) in spans {
            for (place, record) in span.records.enumerated() {
                rows.append(
                    CounterRow(
                        key: UInt64(records[Int(record)].subject) << 32 | UInt64(record),
                        startSeconds: key.startSeconds, widthSeconds: key.widthSeconds, sum: span.sums[place]))
            }
        }
        func isBefore(_ left: CounterRow, _ right: CounterRow) -> Bool {
            left.key < right.key || left.key == right.key && left.startSeconds < right.startSeconds
        }
        rows.sort(by: isBefore)
        return rows
    }
}
