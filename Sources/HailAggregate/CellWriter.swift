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
        var cell: CellSums

        /// Whether it moves a gauge from where the store has it.
        var isMove: Bool {
            if case .gauge(let moves) = cell { moves.value == nil } else { false }
        }

        /// Fields that the cell takes in a page, at most.
        var pageFieldCount: Int32 {
            if case .timer = cell { Int32(TimerComponent.allCases.count) } else { 0 }
        }
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
        rows.sort {
            ($0.record, $0.startSeconds, -$0.widthSeconds) < ($1.record, $1.startSeconds, -$1.widthSeconds)
        }
        var first = 0
        while first < rows.count {
            var end = first
            while end < rows.count, rows[end].record == rows[first].record { end += 1 }
            let own = rows[first..<end]
            if own.contains(where: \.isMove) {
                writeSteps(own, to: &draft, isConditional: isConditional)
            } else {
                write(own, to: &draft, isConditional: isConditional)
            }
            first = end
        }
    }

    /// Adds the cells of one record, every resolution of every row.
    private func write(_ rows: ArraySlice<Row>, to draft: inout Draft, isConditional: Bool) {
        for (level, resolution) in book.ladder.resolutions.enumerated() {
            var gathered: (bucket: Int64, row: Row)?
            for row in rows where keeps(row, resolution) {
                let bucket = resolution.bucket(at: row.startSeconds)
                if gathered?.bucket == bucket {
                    gathered?.row.cell.merge(row.cell)
                } else {
                    if let (bucket, row) = gathered { write(row, level, bucket, &draft, isConditional) }
                    gathered = (bucket, row)
                }
            }
            if let (bucket, row) = gathered { write(row, level, bucket, &draft, isConditional) }
        }
    }

    /// Adds the cells of a gauge that is moved, row by row in order of time.
    ///
    /// What a move comes to is known in the store alone: the all-time cell works it out, and the row's other cells take
    /// the result. They follow it in the same batch, before the next row.
    private func writeSteps(_ rows: ArraySlice<Row>, to draft: inout Draft, isConditional: Bool) {
        for row in rows {
            draft.beginStep()
            for (level, resolution) in book.ladder.resolutions.enumerated().reversed() where keeps(row, resolution) {
                write(
                    row, level, resolution.bucket(at: row.startSeconds), &draft, isConditional, isStep: true)
            }
            if !isConditional, draft.isFull { draft.closeBatch() }
        }
    }

    private func keeps(_ row: Row, _ resolution: Resolution) -> Bool {
        (resolution.isAllTime || resolution.widthSeconds >= row.widthSeconds)
            && resolution.keeps(row.startSeconds, now: nowSeconds)
    }

    /// Adds one cell; then closes the batch if it is full, unless the cell is a part of something whole.
    private func write(
        _ row: Row, _ level: Int, _ bucket: Int64, _ draft: inout Draft, _ isConditional: Bool, isStep: Bool = false
    ) {
        let resolution = book.ladder.resolutions[level]
        let digest = book.records[Int(row.record)].digest
        let place = placing.place(
            row.record, level, bucket: bucket, fieldCount: row.pageFieldCount, in: &draft,
            isConditional: isConditional)
        let own = BucketKey(resolution: resolution, bucket: bucket, digest: digest)
        switch row.cell {
        case .timer(let sums):
            for (component, number, text) in CellWriter.components(of: sums) {
                draft.add(component, number: number, text: text, of: digest, at: place)
            }
            if book.keepsSketches[level] { draft.add(sketch: sums.sketch, at: own) }
            draft.countCell()
        case .gauge(let moves):
            draft.add(moves, of: digest, at: place, isAllTime: resolution.isAllTime, isStep: isStep)
            draft.countCell()
        case .set(let members):
            guard book.keepsSketches[level] else { break }
            draft.countCell()
            for member in members {
                draft.add(member: member, at: own)
                if !isConditional, draft.isFull { draft.closeBatch() }
            }
        }
        if !isConditional, !isStep, draft.isFull { draft.closeBatch() }
    }

    /// The fields of a timer's cell; those that add nothing are left out.
    private static func components(of sums: TimerSums) -> [(TimerComponent, Int64, String?)] {
        let (count, sum) = (Amount(micros: sums.countMicros), Amount(micros: sums.sumMicros))
        var parts: [(TimerComponent, Int64, String?)] = []
        for piece in Draft.pieces(of: count.whole) where piece != 0 { parts.append((.count, piece, nil)) }
        if count.millionths != 0 { parts.append((.countMillionths, count.millionths, nil)) }
        for piece in Draft.pieces(of: sum.whole) { parts.append((.sum, piece, nil)) }
        if sum.millionths != 0 { parts.append((.sumMillionths, sum.millionths, nil)) }
        return parts + [
            (.least, sums.least, nil), (.greatest, sums.greatest, nil), (.squares, 0, "\(sums.squares)"),
        ]
    }
}
