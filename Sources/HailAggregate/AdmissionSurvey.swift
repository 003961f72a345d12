import HailCore

/// Finds out what a shard has to ask the store before its cells get a number.
struct AdmissionSurvey {
    let book: CellBook
    let nowSeconds: Int64

    /// A node in one chunk, and how much it gathered.
    private struct Candidate {
        let node: UInt32
        let level: Int
        let chunk: Int64
        let scope: Admissions.Place
        let weight: Double
        let isHeavy: Bool
    }

    /// The question, or nil where the store has said all that is needed.
    ///
    /// There may be more to ask once it is answered.
    func ask(of pending: PendingShard, shard: Shard) -> AdmissionAsk? {
        guard book.admissions.isBounded else { return nil }
        let candidates = candidates(of: pending, shard)
        guard !candidates.isEmpty else { return nil }
        var ask = AdmissionAsk(
            shard: shard, smallFields: min(book.admissions.ordinaryLimit, AdmissionSurvey.smallFields))
        var pages: [Admissions.Place: Int] = [:]
        var places: [Admissions.Place: Int] = [:]
        var count = 0
        func place(of node: UInt32, like candidate: Candidate, isHeavy: Bool) -> Int {
            let own = book.admissions.nodes[Int(node)]
            let key = Admissions.Place(number: UInt64(node), level: candidate.level, chunk: candidate.chunk)
            if let known = places[key] { return known }
            var parent: Int?
            if own.parent != Admissions.none,
                book.admissions.state(own.parent, candidate.level, chunk: candidate.chunk, shard: shard) == .unknown
            {
                parent = place(of: own.parent, like: candidate, isHeavy: false)
            }
            let page = page(of: own.subject, candidate, in: &ask, &pages)
            ask.pages[page].items.append(item(node, parent: parent, isHeavy: isHeavy))
            count += 1
            places[key] = ask.pages[page].items.count - 1
            return ask.pages[page].items.count - 1
        }
        var inScope: (scope: Admissions.Place, count: Int)?
        for candidate in candidates {
            if inScope?.scope != candidate.scope { inScope = (candidate.scope, 0) }
            // More of one dimension than may be kept would be refused anyway.
            guard let taken = inScope?.count, taken < book.admissions.valueLimit else { continue }
            inScope?.count += 1
            _ = place(of: candidate.node, like: candidate, isHeavy: candidate.isHeavy)
            if count >= Limits.namesPerAsk { break }
        }
        return ask
    }

    /// Fields of a first page up to which names are not counted: room is left for the cells beside them.
    private static let smallFields = 200

    /// The nodes that must be asked for, those of a scope together, the heaviest first.
    private func candidates(of pending: PendingShard, _ shard: Shard) -> [Candidate] {
        let spans = pending.spans.compactMap { key, span -> (chunks: [Int64?], weights: [UInt32: Double])? in
            let chunks = chunks(of: key)
            let weights = weights(of: span, chunks)
            return weights.isEmpty ? nil : (chunks, weights)
        }
        var candidates: [Candidate] = []
        for level in book.ladder.resolutions.indices {
            var byChunk: [Int64: [UInt32: Double]] = [:]
            for (chunks, weights) in spans {
                guard let chunk = chunks[level] else { continue }
                if byChunk[chunk]?.merge(weights, uniquingKeysWith: +) == nil { byChunk[chunk] = weights }
            }
            for (chunk, weights) in byChunk {
                for (node, weight) in weights {
                    var isHeavy = false
                    let must = book.admissions.mustAsk(node, level, chunk: chunk, shard: shard) {
                        isHeavy = self.isHeavy(node)
                        return isHeavy
                    }
                    guard must else { continue }
                    candidates.append(
                        Candidate(
                            node: node, level: level, chunk: chunk,
                            scope: book.admissions.scope(of: node, level, chunk), weight: weight, isHeavy: isHeavy))
                }
            }
        }
        candidates.sort {
            ($0.scope.number, $0.level, $0.chunk, -$0.weight, $0.node)
                < ($1.scope.number, $1.level, $1.chunk, -$1.weight, $1.node)
        }
        return candidates
    }

    /// By level: the chunk that a span lies in; nil where it has no cells.
    private func chunks(of key: SpanSums.Key) -> [Int64?] {
        zip(book.ladder.resolutions, book.buckets(of: key, nowSeconds: nowSeconds)).map { resolution, bucket in
            bucket.map { resolution.chunk(ofBucket: $0) }
        }
    }

    /// How much each node gathered in a span, without those that are known to be admitted wherever it reaches.
    private func weights(of span: SpanSums, _ chunks: [Int64?]) -> [UInt32: Double] {
        var weights: [UInt32: Double] = [:]
        func note(_ record: UInt32, _ weight: @autoclosure () -> Double) {
            let node = book.records[Int(record)].node
            guard node != Admissions.none, !book.admissions.isAdmitted(node, chunks) else { return }
            weights[node, default: 0] += weight()
        }
        for (place, record) in span.records.enumerated() { note(record, Double(span.sums[place].magnitude) / 1e6) }
        for (record, cell) in span.cells { note(record, cell.weight) }
        return weights
    }

    private func isHeavy(_ node: UInt32) -> Bool {
        let own = book.admissions.nodes[Int(node)]
        let dimension = book.admissions.nodes[Int(own.dimension)]
        return book.admissions.isHeavy(
            subject: book.subjects[Int(own.subject)].digest, dimension: book.groups[Int(dimension.group)].digest,
            value: book.groups[Int(own.group)].digest)
    }

    private func page(
        of subject: UInt32, _ candidate: Candidate, in ask: inout AdmissionAsk, _ pages: inout [Admissions.Place: Int]
    ) -> Int {
        let key = Admissions.Place(number: UInt64(subject), level: candidate.level, chunk: candidate.chunk)
        if let known = pages[key] { return known }
        let resolution = book.ladder.resolutions[candidate.level]
        ask.pages.append(
            AdmissionAsk.Page(
                digest: book.subjects[Int(subject)].digest, widthSeconds: Int64(resolution.storedWidth),
                chunk: candidate.chunk, expirySeconds: resolution.expirySeconds(ofChunk: candidate.chunk),
                isWide: book.admissions.isWide(subject: subject, candidate.level, chunk: candidate.chunk),
                level: candidate.level))
        pages[key] = ask.pages.count - 1
        return ask.pages.count - 1
    }

    private func item(_ node: UInt32, parent: Int?, isHeavy: Bool) -> AdmissionAsk.Item {
        let own = book.admissions.nodes[Int(node)]
        let group = book.groups[Int(own.group)]
        let isDimension = own.parent == Admissions.none
        return AdmissionAsk.Item(
            name: PageField.group(group.path), overflowPage: PageField.overflowPage(of: group.digest),
            counter: isDimension ? PageField.dimensionCount : PageField.valueCount(of: group.path[0]),
            limit: isDimension || isHeavy ? book.admissions.valueLimit : book.admissions.ordinaryLimit, parent: parent,
            node: node, isHeavy: isHeavy)
    }
}
