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

    /// What the cells come to in each span of a coverage; nil where none of them has anything.
    func spans(of cells: [Int], in coverage: Coverage) -> [Content?] {
        var merged = [Content?](repeating: nil, count: coverage.spans.count)
        let resolution = coverage.resolution
        for cell in cells {
            for chunk in coverage.chunks {
                let place = CellPlace(resolution: resolution, chunk: chunk)
                guard let row = rows[Address(cell: cell, place: place)] else { continue }
                var index = 0
                row.forEach { offset, content in
                    let start = resolution.startSeconds(ofBucket: place.bucket(at: offset))
                    if !resolution.isAllTime {
                        while index < merged.count, coverage.spans[index].endSeconds <= start { index += 1 }
                    }
                    guard index < merged.count, resolution.isAllTime || coverage.spans[index].startSeconds <= start
                    else { return }
                    if merged[index] == nil { merged[index] = content } else { merged[index]?.merge(content) }
                }
            }
        }
        return merged
    }
}
