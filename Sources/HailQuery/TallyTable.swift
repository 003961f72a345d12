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
        guard let first = coverage.spans.first, let last = coverage.spans.last else { return nil }
        let width = coverage.resolution.widthSeconds
        var total: Content?
        for cell in cells {
            for chunk in coverage.chunks {
                let place = CellPlace(resolution: coverage.resolution, chunk: chunk)
                guard let row = rows[Address(cell: cell, place: place)] else { continue }
                let firstSeconds = place.bucket(at: 0) * width
                row.forEach { offset, content in
                    let start = firstSeconds + Int64(offset) * width
                    guard width == 0 || start >= first.startSeconds && start < last.endSeconds else { return }
                    if total == nil { total = content } else { total?.merge(content) }
                }
            }
        }
        return total
    }

    /// What the cells come to in each span of a coverage; nil where none of them has anything.
    func spans(of cells: [Int], in coverage: Coverage) -> [Content?] {
        let (resolution, spans) = (coverage.resolution, coverage.spans)
        var merged = [Content?](repeating: nil, count: spans.count)
        guard !spans.isEmpty else { return merged }
        let width = resolution.widthSeconds
        for cell in cells {
            for chunk in coverage.chunks {
                let place = CellPlace(resolution: resolution, chunk: chunk)
                guard let row = rows[Address(cell: cell, place: place)] else { continue }
                let firstSeconds = place.bucket(at: 0) * width
                var index = 0
                row.forEach { offset, content in
                    if width > 0 {
                        let start = firstSeconds + Int64(offset) * width
                        while index < spans.count, spans[index].endSeconds <= start { index += 1 }
                        guard index < spans.count, spans[index].startSeconds <= start else { return }
                    }
                    if merged[index] == nil { merged[index] = content } else { merged[index]?.merge(content) }
                }
            }
        }
        return merged
    }
}
