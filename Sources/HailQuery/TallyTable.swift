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
        for stretch in coverage.stretches {
            let resolution = stretch.resolution
            func add(_ content: Content, _ bucket: Int64) {
                guard let index = coverage.spanIndex(ofBucket: bucket, in: resolution) else { return }
                if merged[index] == nil { merged[index] = content } else { merged[index]?.merge(content) }
            }
            for cell in cells {
                guard let buckets = self.cells[Address(cell: cell, resolution: resolution)] else { continue }
                if buckets.count <= stretch.buckets.count {
                    for (bucket, content) in buckets where stretch.buckets.contains(bucket) { add(content, bucket) }
                } else {
                    for bucket in stretch.buckets { if let content = buckets[bucket] { add(content, bucket) } }
                }
            }
        }
        return merged
    }
}
