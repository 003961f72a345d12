import HailCore

/// Adds the cells of timers, gauges and sets to batches, every resolution of every span.
struct CellWriter {
    let book: CellBook
    let placing: CellPlacing
    let nowSeconds: Int64
    let fold: CellFold

    /// What a record gathered in one span.
    private struct Row {
        var record: UInt32
        let startSeconds: Int64
        let widthSeconds: Int64
        /// By resolution; nil where it does not count.
        let buckets: [Int64?]
        var cell: CellSums

        /// Whether it moves a gauge from where the store has it.
        var isMove: Bool {
            if case .gauge(let moves) = cell { moves.value == nil } else { false }
        }

        init(record: UInt32, _ key: SpanSums.Key, _ buckets: [Int64?], cell: CellSums) {
            self.record = record
            startSeconds = key.startSeconds
            widthSeconds = key.widthSeconds
            self.buckets = buckets
            self.cell = cell
        }

        /// The same of another record.
        init(_ record: UInt32, _ row: Row) {
            self = row
            self.record = record
        }
    }

    func write(
        _ spans: [(key: SpanSums.Key, value: SpanSums)], to draft: inout Draft, isConditional: Bool
    ) {
        var rows: [Row] = []
        for (key, span) in spans {
            let buckets = book.buckets(of: key, nowSeconds: nowSeconds)
            for (record, cell) in span.cells { rows.append(Row(record: record, key, buckets, cell: cell)) }
        }
        var refusedMoves: [Row] = []
        CellWriter.forEachRecord(of: &rows) { own in
            if !own.contains(where: \.isMove) {
                write(own, to: &draft, isConditional: isConditional)
            } else if let other = otherOfMoves(own) {
                refusedMoves += own.map { Row(other, $0) }
            } else {
                writeSteps(own, to: &draft, isConditional: isConditional)
            }
        }
        for (cell, sums) in fold.takeCells() {
            write(sums, of: cell.record, cell.level, cell.bucket, &draft, isConditional)
        }
        CellWriter.forEachRecord(of: &refusedMoves) { writeSteps($0, to: &draft, isConditional: isConditional) }
    }

    /// Calls `body` with the rows of each record, in order of time.
    private static func forEachRecord(of rows: inout [Row], _ body: (ArraySlice<Row>) -> Void) {
        rows.sort {
            ($0.record, $0.startSeconds, -$0.widthSeconds) < ($1.record, $1.startSeconds, -$1.widthSeconds)
        }
        var first = 0
        while first < rows.count {
            var end = first
            while end < rows.count, rows[end].record == rows[first].record { end += 1 }
            body(rows[first..<end])
            first = end
        }
    }

    /// The gauge under `__other__` that moves in place of a refused one.
    ///
    /// The all-time total decides, since what a move comes to is worked out there.
    private func otherOfMoves(_ rows: ArraySlice<Row>) -> UInt32? {
        guard let record = rows.first?.record else { return nil }
        let target = fold.target(of: record, book.ladder.resolutions.count - 1, bucket: 0)
        guard let target, target != record else { return nil }
        fold.weigh(record, Double(rows.count), isFolded: true)
        return target
    }

    /// Adds the cells of one record, every resolution of every row.
    private func write(_ rows: ArraySlice<Row>, to draft: inout Draft, isConditional: Bool) {
        guard let record = rows.first?.record else { return }
        var isFolded = false
        func write(_ cell: CellSums, _ level: Int, _ bucket: Int64) {
            let target = fold.target(of: record, level, bucket: bucket)
            if target == record {
                self.write(cell, of: record, level, bucket, &draft, isConditional)
            } else if let target {
                isFolded = true
                fold.add(cell, to: CellFold.Cell(record: target, level: level, bucket: bucket))
            }
        }
        for level in book.ladder.resolutions.indices {
            var gathered: (bucket: Int64, cell: CellSums)?
            for row in rows {
                guard let bucket = row.buckets[level] else { continue }
                if gathered?.bucket == bucket {
                    gathered?.cell.merge(row.cell)
                } else {
                    if let (bucket, cell) = gathered { write(cell, level, bucket) }
                    gathered = (bucket, row.cell)
                }
            }
            if let (bucket, cell) = gathered { write(cell, level, bucket) }
        }
        fold.weigh(record, rows.reduce(0) { $0 + $1.cell.weight }, isFolded: isFolded)
    }

    /// Adds the cells of a gauge that is moved, row by row in order of time.
    ///
    /// What a move comes to is known in the store alone: the all-time cell works it out, and the row's other cells take
    /// the result. They follow it in the same batch, before the next row.
    private func writeSteps(_ rows: ArraySlice<Row>, to draft: inout Draft, isConditional: Bool) {
        for row in rows {
            draft.beginStep()
            for level in book.ladder.resolutions.indices.reversed() {
                guard let bucket = row.buckets[level] else { continue }
                // A chunk may refuse what the all-time total admits.
                let target = fold.target(of: row.record, level, bucket: bucket) ?? row.record
                write(row.cell, of: target, level, bucket, &draft, isConditional, isStep: true)
            }
            if !isConditional, draft.isFull { draft.closeBatch() }
        }
    }

    /// Adds one cell; then closes the batch if it is full, unless the cell is a part of something whole.
    private func write(
        _ cell: CellSums, of record: UInt32, _ level: Int, _ bucket: Int64, _ draft: inout Draft,
        _ isConditional: Bool, isStep: Bool = false
    ) {
        let resolution = book.ladder.resolutions[level]
        let named = book.records[Int(record)]
        let place = placing.place(
            record, named, at: BucketPlace(bucket, level: level, of: book.ladder), fieldCount: cell.pageFieldCount,
            isConditional: isConditional)
        placing.addName(of: named, at: place, to: &draft)
        let own = BucketKey(resolution: resolution, bucket: bucket, digest: named.digest)
        switch cell {
        case .timer(let sums):
            for (component, number, text) in CellWriter.components(of: sums) {
                draft.add(component, number: number, text: text, of: named.digest, at: place)
            }
            if book.keepsSketches[level] { draft.add(sketch: sums.sketch, at: own) }
            draft.countCell()
        case .gauge(let moves):
            draft.add(moves, of: named.digest, at: place, isAllTime: resolution.isAllTime, isStep: isStep)
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

extension CellSums {
    /// Fields that the cell takes in a page, at most.
    fileprivate var pageFieldCount: Int32 {
        if case .timer = self { Int32(TimerComponent.allCases.count) } else { 0 }
    }
}
