import HailCore

/// The tallies of one kind that a plan found, by cell, resolution and bucket.
struct TallyTable<Content: Tally>: Sendable {
    struct Address: Hashable {
        let cell: Int
        let resolution: Resolution
    }

    private var cells: [Address: [Int64: Content]] = [:]

    mutating func update(_ address: Address, bucket: Int64, _ change: (inout Content) -> Void) {
        change(&cells[address, default: [:]][bucket, default: .zero])
    }

    /// What the cells come to in each span of a coverage; nil where none of them has anything.
    func spans(of cells: [Int], in coverage: Coverage) -> [Content?] {
        var merged = [Content?](repeating: nil, count: coverage.spans.count)
        for cell in cells {
            let buckets = self.cells[Address(cell: cell, resolution: coverage.resolution)] ?? [:]
            for (bucket, content) in buckets {
                guard let index = coverage.spanIndex(ofBucket: bucket) else { continue }
                if merged[index] == nil { merged[index] = content } else { merged[index]?.merge(content) }
            }
        }
        return merged
    }
}
