import HailCore

/// Adds the cells of timers, gauges and sets to batches, every resolution of every span.
struct CellWriter {
    let book: CellBook
    let placing: CellPlacing
    let nowSeconds: Int64

    /// What a record gathered in one span.
    private struct Row {
        let record: UInt32
        let startSeconds: Int64
        let widthSeconds: Int64
        let cell: CellSums
    }

    func write(
        _ spans: [(key: SpanSums.Key, value: SpanSums)], to draft: inout Draft, isConditional: Bool
    ) {
        var rows: [Row] = []
        for (key, span) in spans {
            for (record, cell) in span.cells {
                rows.append(
                    Row(record: record, startSeconds: key.startSeconds, widthSeconds: key.widthSeconds, cell: cell))
            }
        }
        rows.sort { ($0.record, $0.startSeconds) < ($1.record, $1.startSeconds) }
        var first = 0
        while first < rows.count {
            var end = first
            while end < rows.count, rows[end].record == rows[first].record { end += 1 }
            write(rows[first..<end], to: &draft, isConditional: isConditional)
            // Between records only: the entries of a gauge's move must follow it in the same batch.
            if !isConditional, draft.isFull { draft.closeBatch() }
            first = end
        }
    }

    /// Adds the cells of one record; the all-time cell first, since a gauge's move is worked out there.
    private func write(_ rows: ArraySlice<Row>, to draft: inout Draft, isConditional: Bool) {
        for (level, resolution) in book.ladder.resolutions.enumerated().reversed() {
            var current: (bucket: Int64, cell: CellSums)?
            for row in rows
            where (resolution.isAllTime || resolution.widthSeconds >= row.widthSeconds)
                && resolution.keeps(row.startSeconds, now: nowSeconds)
            {
                let bucket = resolution.bucket(at: row.startSeconds)
                if current?.bucket == bucket {
                    current?.cell.merge(row.cell)
                } else {
                    if let current { write(row.record, level, current.bucket, current.cell, &draft, isConditional) }
                    current = (bucket, row.cell)
                }
            }
            if let current, let record = rows.first?.record {
                write(record, level, current.bucket, current.cell, &draft, isConditional)
            }
        }
    }

    private func write(
        _ record: UInt32, _ level: Int, _ bucket: Int64, _ cell: CellSums, _ draft: inout Draft, _ isConditional: Bool
    ) {
        let resolution = book.ladder.resolutions[level]
        let digest = book.records[Int(record)].digest
        let components = if case .timer = cell { Int32(TimerComponent.allCases.count) } else { Int32(0) }
        let place = placing.place(
            record, level, bucket: bucket, fieldCount: components, in: &draft, isConditional: isConditional)
        let own = BucketKey(resolution: resolution, bucket: bucket, digest: digest)
        switch cell {
        case .timer(let sums):
            for (component, number, text) in CellWriter.components(of: sums) {
                draft.add(component, number: number, text: text, of: digest, at: place)
            }
            if book.keepsSketches[level] { draft.add(sketch: sums.sketch, at: own) }
        case .gauge(let moves):
            draft.add(moves, of: digest, at: place, isAllTime: resolution.isAllTime)
        case .set(let members):
            if book.keepsSketches[level] { draft.add(members: members, at: own) }
        }
        draft.countCell()
    }

    /// The fields of a timer's cell; those that add nothing are left out.
    private static func components(of sums: TimerSums) -> [(TimerComponent, Int64, String?)] {
        let (count, sum) = (Amount(micros: sums.countMicros), Amount(micros: sums.sumMicros))
        let parts: [(TimerComponent, Int64, String?)] = [
            (.count, Int64(clamping: count.whole), nil), (.countMillionths, count.millionths, nil),
            (.sum, Int64(clamping: sum.whole), nil), (.sumMillionths, sum.millionths, nil),
            (.least, sums.least, nil), (.greatest, sums.greatest, nil), (.squares, 0, "\(sums.squares)"),
        ]
        return parts.filter { component, number, _ in
            switch component {
            case .count, .countMillionths, .sumMillionths: number != 0
            case .sum, .least, .greatest, .squares: true
            }
        }
    }
}
