import HailCore

/// The store keys of a subject's cells.
struct CellKeys: Sendable {
    /// One cell that is read: a metric of a kind at a group.
    struct Cell: Sendable {
        let digest: Digest
        let source: MetricSource
    }

    let cells: [Cell]
    private let shard: Shard
    private let subject: Digest

    /// - Parameters:
    ///   - groups: by index.
    ///   - sources: by index; a cell is `group · sources + source`.
    init(subject: [String], groups: [[String]], sources: [MetricSource], digester: Digester) {
        self.subject = digester(CellName.subjectBytes(subject))
        shard = Shard(subject: self.subject)
        cells = groups.flatMap { group in
            sources.map { source in
                let name = CellName(
                    subject: subject, group: group, metric: source.metric.name.text, kind: source.metric.kind)
                return Cell(digest: digester(name.canonicalBytes), source: source)
            }
        }
    }

    /// A page of the subject.
    func page(_ place: CellPlace, _ page: UInt8) -> [UInt8] {
        StoreKey.chunk(
            letter: StoreKey.Letter.page, shard: shard, digest: subject,
            widthSeconds: Int64(place.resolution.storedWidth), chunk: place.chunk, page: page)
    }

    /// A key of a cell's own.
    ///
    /// - Parameter chunk: the chunk, or for sketches and sets the bucket.
    func own(_ cell: Int, letter: UInt8, _ resolution: Resolution, chunk: Int64, page: UInt8 = 0) -> [UInt8] {
        StoreKey.chunk(
            letter: letter, shard: shard, digest: cells[cell].digest, widthSeconds: Int64(resolution.storedWidth),
            chunk: chunk, page: page)
    }
}
