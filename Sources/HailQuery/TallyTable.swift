import HailCore

/// The tallies of one kind that a plan found, by cell, chunk and bucket.
struct TallyTable<Content: Tally>: Sendable {
    struct Address: Hashable {
        let cell: Int
        let place: CellPlace
    }

    private var rows: [Address: TallyRow<Content>] = [:]

    /// Changes the tally of one bucket.
    mutating func update(_ address: Address, offset: Int, _ change: (inout Content) -> Void) {
        change(&rows[address, default: TallyRow()][offset])
    }

    /// Changes the tallies of a cell in one chunk.
    mutating func updateRow<Failure: Error>(
        _ address: Address, _ change: (inout TallyRow<Content>) throws(Failure) -> Void
    ) throws(Failure) {
        var row = rows.removeValue(forKey: address) ?? TallyRow()
        try change(&row)
        if !row.isEmpty { rows[address] = row }
    }

    /// What the cells come to over all spans of a coverage, which follow each other without a gap.
    func total(of cells: [Int], in coverage: Coverage) -> Content? {
        var total: Content?
        forEachRow(of: cells, in: coverage) { row, place, stretch in
            row.forEach { offset, content in
                guard stretch.buckets.contains(place.bucket(at: offset)) else { return }
                if total == nil { total = content } else { total?.merge(content) }
            }
        }
        return total
    }

    /// What the cells come to in each span of a coverage; nil where none of them has anything.
    func spans(of cells: [Int], in coverage: Coverage) -> [Content?] {
        let spans = coverage.spans
        var merged = [Content?](repeating: nil, count: spans.count)
        guard !spans.isEmpty else { return merged }
        forEachRow(of: cells, in: coverage) { row, place, stretch in
            let resolution = stretch.resolution
            var index = 0
            row.forEach { offset, content in
                let bucket = place.bucket(at: offset)
                guard stretch.buckets.contains(bucket) else { return }
                if !resolution.isAllTime {
                    let start = resolution.startSeconds(ofBucket: bucket)
                    while index < spans.count, spans[index].endSeconds <= start { index += 1 }
                    guard index < spans.count, spans[index].startSeconds <= start else { return }
                }
                if merged[index] == nil { merged[index] = content } else { merged[index]?.merge(content) }
            }
        }
        return merged
    }

    private func forEachRow(
        of cells: [Int], in coverage: Coverage,
        _ body: (_ row: TallyRow<Content>, _ place: CellPlace, _ stretch: Coverage.Stretch) -> Void
    ) {
        for stretch in coverage.stretches where !stretch.buckets.isEmpty {
            let resolution = stretch.resolution
            let first = resolution.chunk(ofBucket: stretch.buckets.lowerBound)
            let last = resolution.chunk(ofBucket: stretch.buckets.upperBound - 1)
            for cell in cells {
                for chunk in first...last {
                    let place = CellPlace(resolution: resolution, chunk: chunk)
                    if let row = rows[Address(cell: cell, place: place)] { body(row, place, stretch) }
                }
            }
        }
    }
}
