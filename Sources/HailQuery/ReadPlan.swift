package import HailCore

/// Which fields of which store keys hold the cells of an answer, as commands for one pipelined round trip.
///
/// A cell may lie in the subject's page, in an overflow page and in a strip of its own; all three are read and what
/// they hold is added up. Each key is read once: whole where many of its fields are wanted, by field where few are.
package struct ReadPlan: Sendable {
    /// The bounds on what one plan may read.
    package enum Bound {
        /// Keys, which are commands.
        package static let keys = 20_000
        /// Buckets times cells.
        package static let buckets = 2_000_000
        /// Fields above which a whole hash is read: finding one field of a small hash is a scan of it.
        package static let fieldsByName = 48
    }

    package let subject: [String]
    /// Groups by index; a cell is `group · metrics + metric`.
    package let groups: [[String]]
    /// Counters by index.
    package let metrics: [String]
    /// The commands, each as its words.
    package private(set) var commands: [[[UInt8]]] = []
    private var requests: [Request] = []
    private let cellOfPrefix: [UInt64: Int]
    private let metricOfName: [[UInt8]: Int]

    /// One key to read and what its reply means.
    fileprivate struct Request: Sendable {
        let resolution: Resolution
        let chunk: Int64
        /// The cell whose strip it is; nil for a page.
        let stripCell: Int?
        /// The fields in the order asked; nil where the whole hash is.
        var fields: [Field]?
    }

    fileprivate enum Field: Sendable {
        case cell(Int, offset: Int, isMillionths: Bool)
        case name(Int)
    }

    /// - Parameters:
    ///   - names: the indices of metrics of which it has to be known whether they were ever stored.
    /// - Throws: `too_costly`.
    package init(
        subject: [String], groups: [[String]], metrics: [String], names: [Int] = [], coverages: [Coverage],
        digester: Digester
    ) throws(QueryError) {
        self.subject = subject
        self.groups = groups
        self.metrics = metrics
        let subjectDigest = digester(CellName.subjectBytes(subject))
        var keys = KeyMaker(
            shard: Shard(subject: subjectDigest), subject: subjectDigest,
            cells: groups.flatMap { group in
                metrics.map { metric in
                    digester(
                        CellName(subject: subject, group: group, metric: metric, kind: .counter).canonicalBytes)
                }
            })
        var cellOfPrefix: [UInt64: Int] = [:]
        for (index, digest) in keys.cells.enumerated() { cellOfPrefix[digest.high | ReadPlan.pageMark] = index }
        self.cellOfPrefix = cellOfPrefix
        var metricOfName: [[UInt8]: Int] = [:]
        for index in names { metricOfName[PageField.metric(metrics[index], kind: .counter)] = index }
        self.metricOfName = metricOfName
        keys.nameFields = metricOfName.sorted { $0.value < $1.value }
            .map { ($0.key, PageField.overflowPage(of: digester($0.key)), $0.value) }
        let wanted = try ReadPlan.wantedOffsets(of: coverages, cells: keys.cells.count)
        for (place, offsets) in wanted {
            addRequests(place.resolution, place.chunk, offsets, keys)
        }
        if !names.isEmpty, !wanted.contains(where: { $0.0.resolution.isAllTime }) {
            addRequests(.allTime, 0, [], keys)
        }
    }

    private struct KeyMaker {
        let shard: Shard
        let subject: Digest
        let cells: [Digest]
        /// Names to look for in the all-time pages: field, overflow page, metric.
        var nameFields: [([UInt8], UInt8, Int)] = []

        func page(_ resolution: Resolution, _ chunk: Int64, _ page: UInt8) -> [UInt8] {
            StoreKey.chunk(
                letter: StoreKey.Letter.page, shard: shard, digest: subject, widthSeconds: resolution.widthSeconds,
                chunk: chunk, page: page)
        }

        func strip(_ resolution: Resolution, _ chunk: Int64, _ cell: Int) -> [UInt8] {
            StoreKey.chunk(
                letter: StoreKey.Letter.counterStrip, shard: shard, digest: cells[cell],
                widthSeconds: resolution.widthSeconds, chunk: chunk)
        }
    }

    private struct Place: Hashable {
        let resolution: Resolution
        let chunk: Int64
    }

    /// The offsets that the coverages want of each chunk, once each, in the order first wanted.
    private static func wantedOffsets(
        of coverages: [Coverage], cells: Int
    ) throws(QueryError) -> [(Place, [Int])] {
        let chunks = coverages.reduce(0) { $0 + $1.chunks.count }
        let buckets = coverages.reduce(0) { $0 + $1.buckets.count }
        let (keys, keysOverflow) = chunks.multipliedReportingOverflow(by: 1 + 2 * cells)
        let (reads, readsOverflow) = buckets.multipliedReportingOverflow(by: cells)
        guard !keysOverflow, !readsOverflow, chunks <= Bound.keys, keys <= 4 * Bound.keys, reads <= Bound.buckets
        else { throw tooCostly() }
        var order: [Place] = []
        var marks: [Place: [Bool]] = [:]
        for coverage in coverages {
            let resolution = coverage.resolution
            for bucket in coverage.buckets {
                let place = Place(resolution: resolution, chunk: resolution.chunk(ofBucket: bucket))
                if marks[place] == nil { order.append(place) }
                marks[place, default: [Bool](repeating: false, count: Int(Resolution.bucketsPerChunk))][
                    resolution.offset(ofBucket: bucket)] = true
            }
        }
        guard order.count * (1 + cells) <= Bound.keys else { throw tooCostly() }
        return order.map { place in
            let marks = marks[place] ?? []
            return (place, marks.indices.filter { marks[$0] })
        }
    }

    static func tooCostly() -> QueryError {
        QueryError(
            .tooCostly, "",
            "The answer would read more than \(Bound.keys) keys or \(Bound.buckets) buckets of the store; ask for "
                + "fewer dimensions or metrics, less depth, or a shorter period.")
    }

    /// Adds every key of a chunk: the first page, the overflow pages and the strips of the cells.
    private mutating func addRequests(
        _ resolution: Resolution, _ chunk: Int64, _ offsets: [Int], _ keys: KeyMaker
    ) {
        let names = resolution.isAllTime ? keys.nameFields : []
        let cells = offsets.isEmpty ? [] : Array(keys.cells.indices)
        var pages: [UInt8: (cells: [Int], names: [([UInt8], UInt8, Int)])] = [0: (cells, names)]
        for cell in cells { pages[PageField.overflowPage(of: keys.cells[cell]), default: ([], [])].cells.append(cell) }
        for name in names { pages[name.1, default: ([], [])].names.append(name) }
        for (page, wanted) in pages.sorted(by: { $0.key < $1.key }) {
            let count = wanted.cells.count * offsets.count * 2 + wanted.names.count
            var fields: [(Field, [UInt8])] = []
            if count <= Bound.fieldsByName {
                for cell in wanted.cells {
                    fields += ReadPlan.fields(cell, offsets) {
                        PageField.cell(keys.cells[cell], offset: $0, isMillionths: $1)
                    }
                }
                fields += wanted.names.map { (.name($0.2), $0.0) }
            }
            add(
                keys.page(resolution, chunk, page), Request(resolution: resolution, chunk: chunk, stripCell: nil),
                fields)
        }
        for cell in cells {
            let fields =
                offsets.count * 2 > Bound.fieldsByName
                ? [] : ReadPlan.fields(cell, offsets) { PageField.strip(offset: $0, isMillionths: $1) }
            add(
                keys.strip(resolution, chunk, cell),
                Request(resolution: resolution, chunk: chunk, stripCell: cell), fields)
        }
    }

    private static func fields(
        _ cell: Int, _ offsets: [Int], bytes: (Int, Bool) -> [UInt8]
    ) -> [(Field, [UInt8])] {
        offsets.flatMap { offset in
            [false, true].map { (.cell(cell, offset: offset, isMillionths: $0), bytes(offset, $0)) }
        }
    }

    /// Reads a key by its fields, or whole where none are named.
    private mutating func add(_ key: [UInt8], _ request: Request, _ fields: [(Field, [UInt8])]) {
        var request = request
        if fields.isEmpty {
            commands.append([Array("HGETALL".utf8), key])
        } else {
            request.fields = fields.map(\.0)
            commands.append([Array("HMGET".utf8), key] + fields.map(\.1))
        }
        requests.append(request)
    }

    /// The index of each metric by its name.
    package var metricIndex: [String: Int] {
        Dictionary(metrics.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    /// The mark of a cell's field in a page.
    private static let pageMark: UInt64 = 1 << 63
    private static let pageFieldBytes = 10

    /// Adds up what the replies hold.
    ///
    /// - Parameter replies: one for each command, in order.
    /// - Throws: `store_unreadable` where a reply is an error, is missing or is not what an agent wrote.
    package func readings(from replies: ArraySlice<ReadReply>) throws(QueryError) -> Readings {
        guard replies.count == requests.count else {
            throw QueryError(
                .storeUnreadable, "", "The store answered \(replies.count) of \(requests.count) reads.")
        }
        var readings = Readings(metricCount: metrics.count)
        for (request, reply) in zip(requests, replies) {
            let elements = try reply.elements()
            if let fields = request.fields {
                guard elements.count == fields.count || elements.isEmpty else { throw Readings.misshapen() }
                for (field, element) in zip(fields, elements) { try readings.take(field: field, element, request) }
            } else {
                guard elements.count % 2 == 0 else { throw Readings.misshapen() }
                for index in stride(from: 0, to: elements.count, by: 2) {
                    guard let name = try elements[index].value() else { continue }
                    guard let field = meaning(of: name, in: request) else { continue }
                    try readings.take(field: field, elements[index + 1], request)
                }
            }
        }
        return readings
    }

    /// What a field of a hash that was read whole holds, or nil where it is not wanted.
    private func meaning(of field: [UInt8], in request: Request) -> Field? {
        if let cell = request.stripCell {
            guard let number = Int(String(decoding: field, as: UTF8.self)), number >= 0 else { return nil }
            let isMillionths = number >= PageField.millionthsBase
            let offset = isMillionths ? number - PageField.millionthsBase : number
            guard offset < Int(Resolution.bucketsPerChunk) else { return nil }
            return .cell(cell, offset: offset, isMillionths: isMillionths)
        }
        if let metric = metricOfName[field] { return .name(metric) }
        guard field.count == ReadPlan.pageFieldBytes, let first = field.first, first & 0x80 != 0 else { return nil }
        var prefix: UInt64 = 0
        for byte in field.prefix(8) { prefix = prefix << 8 | UInt64(byte) }
        guard let cell = cellOfPrefix[prefix] else { return nil }
        let offset = Int(field[8] & 0x7F) << 8 | Int(field[9])
        guard offset < Int(Resolution.bucketsPerChunk) else { return nil }
        return .cell(cell, offset: offset, isMillionths: field[8] & 0x80 != 0)
    }
}

extension Readings {
    fileprivate mutating func take(
        field: ReadPlan.Field, _ reply: ReadReply, _ request: ReadPlan.Request
    ) throws(QueryError) {
        switch field {
        case .name(let metric):
            if try reply.value() != nil { markKnown(metric: metric) }
        case .cell(let cell, let offset, let isMillionths):
            guard let count = try reply.count() else { return }
            add(
                isMillionths ? Amount(whole: 0, millionths: count) : Amount(whole: count, millionths: 0), cell: cell,
                resolution: request.resolution,
                bucket: request.resolution.isAllTime
                    ? 0 : request.chunk * Resolution.bucketsPerChunk + Int64(offset))
        }
    }
}
