import HailCore

/// What counters gathered over some spans, and where the spans lie in every resolution.
struct CounterRows {
    /// A counter's sum in one span.
    struct Row {
        /// The subject's number, then the record's.
        let key: UInt64
        /// The place of its span in order of time.
        let span: Int
        let sum: Int128

        var record: UInt32 { UInt32(truncatingIfNeeded: key) }
        var subject: UInt32 { UInt32(truncatingIfNeeded: key >> 32) }
    }

    /// Subjects together, counter by counter, in order of time.
    let rows: [Row]
    /// By span, then resolution; nil where the resolution does not keep the span's time.
    private let buckets: [BucketPlace?]
    let levels: Int

    init(_ spans: [(key: SpanSums.Key, value: SpanSums)], of book: CellBook, nowSeconds: Int64) {
        let spans = spans.sorted {
            ($0.key.startSeconds, $0.key.widthSeconds) < ($1.key.startSeconds, $1.key.widthSeconds)
        }
        let records = book.records
        var rows: [Row] = []
        rows.reserveCapacity(spans.reduce(0) { $0 + $1.value.records.count })
        for (place, span) in spans.enumerated() {
            for (record, sum) in zip(span.value.records, span.value.sums) {
                rows.append(
                    Row(key: UInt64(records[Int(record)].subject) << 32 | UInt64(record), span: place, sum: sum))
            }
        }
        rows.sort { $0.key < $1.key || $0.key == $1.key && $0.span < $1.span }
        self.rows = rows
        levels = book.ladder.resolutions.count
        buckets = spans.flatMap { span in
            book.buckets(of: span.key, nowSeconds: nowSeconds).enumerated().map { level, bucket in
                bucket.map { BucketPlace($0, level: level, of: book.ladder) }
            }
        }
    }

    /// The bucket of a row in one resolution.
    func bucket(_ row: Int, _ level: Int) -> BucketPlace? { buckets[rows[row].span * levels + level] }
}
