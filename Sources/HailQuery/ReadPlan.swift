package import HailCore

/// Which fields of which store keys hold the cells of an answer, as commands for one pipelined round trip.
///
/// A counter or a number of a timer may lie in the subject's page, in an overflow page and in a strip of its own; all
/// three are read. Gauges lie in strips, sketches and sets in keys of their own, one a bucket. Each key is read once:
/// whole where many of its fields are wanted, by field where few are.
package struct ReadPlan: Sendable {
    /// The bounds on what one plan may read.
    package enum Bound {
        /// Keys, which are commands.
        package static let keys = 20_000
        /// Buckets times what the cells weigh: a counter 1, a sketch 200, a set 500.
        package static let buckets = 2_000_000
        /// Fields above which a whole hash is read: finding one field of a small hash is a scan of it.
        package static let fieldsByName = 48
    }

    package let subject: [String]
    /// Groups by index; a cell is `group · sources + source`.
    package let groups: [[String]]
    /// What is read at each group, by index.
    package let sources: [MetricSource]
    /// The commands, each as its words.
    package private(set) var commands: [[[UInt8]]] = []
    private var requests: [CellRequest] = []
    private let cells: [CellKeys.Cell]
    private let cellOfPrefix: [UInt64: Int]
    private let metricOfName: [[UInt8]: KnownNames.Metric]

    /// - Parameters:
    ///   - names: metrics of which it has to be known whether the subject ever had them.
    /// - Throws: `too_costly`.
    package init(
        subject: [String], groups: [[String]], sources: [MetricSource], names: [KnownNames.Metric] = [],
        coverages: [Coverage], digester: Digester
    ) throws(QueryError) {
        self.subject = subject
        self.groups = groups
        self.sources = sources
        try ReadPlan.checkCost(groups: groups.count, sources: sources, coverages: coverages)
        let keys = CellKeys(subject: subject, groups: groups, sources: sources, digester: digester)
        cells = keys.cells
        var cellOfPrefix: [UInt64: Int] = [:]
        for (index, cell) in cells.enumerated() { cellOfPrefix[cell.digest.high | ReadPlan.pageMark] = index }
        self.cellOfPrefix = cellOfPrefix
        var metricOfName: [[UInt8]: KnownNames.Metric] = [:]
        let nameFields = names.map { metric in
            let field = PageField.metric(metric.name.text, kind: metric.kind)
            metricOfName[field] = metric
            return NameField(field: field, page: PageField.overflowPage(of: digester(field)), metric: metric)
        }
        self.metricOfName = metricOfName
        var wanted = CellPlace.wanted(by: coverages)
        let total = CellPlace(resolution: .allTime, chunk: 0)
        if !names.isEmpty, !wanted.contains(where: { $0.place == total }) { wanted.append((total, [])) }
        for (place, offsets) in wanted {
            addPages(place, offsets, keys, names: place == total ? nameFields : [])
            for cell in cells.indices where !offsets.isEmpty { addOwnKeys(of: cell, place, offsets, keys) }
        }
        guard commands.count <= Bound.keys else { throw ReadPlan.tooCostly() }
    }

    /// A metric's name to look for in the pages of the all-time total: in the first one or in an overflow page.
    private struct NameField {
        let field: [UInt8]
        let page: UInt8
        let metric: KnownNames.Metric
    }

    /// Refuses early what would be too much, before anything is built.
    private static func checkCost(
        groups: Int, sources: [MetricSource], coverages: [Coverage]
    ) throws(QueryError) {
        let chunks = coverages.reduce(0) { $0 + $1.chunks.reduce(0) { $0 + $1.chunks.count } }
        let buckets = coverages.reduce(0) { $0 + $1.bucketCount }
        let weight = sources.reduce(0) { $0 + $1.weight }
        let (cells, cellsOverflow) = groups.multipliedReportingOverflow(by: sources.count)
        let (keys, keysOverflow) = chunks.multipliedReportingOverflow(by: cells)
        let (heavy, heavyOverflow) = groups.multipliedReportingOverflow(by: weight)
        let (reads, readsOverflow) = buckets.multipliedReportingOverflow(by: heavy)
        guard !cellsOverflow, !keysOverflow, !heavyOverflow, !readsOverflow, chunks <= Bound.keys,
            keys <= 2 * Bound.keys, reads <= Bound.buckets
        else { throw tooCostly() }
    }

    static func tooCostly() -> QueryError {
        QueryError(
            .tooCostly, "",
            "The answer would read more than \(Bound.keys) keys or \(Bound.buckets) buckets of the store; ask for "
                + "fewer dimensions or metrics, less depth, or a shorter period.")
    }

    /// Adds the first page of a chunk and the overflow pages that cells or names may lie in.
    private mutating func addPages(_ place: CellPlace, _ offsets: [Int], _ keys: CellKeys, names: [NameField]) {
        let sparse =
            offsets.isEmpty
            ? [] : cells.indices.filter { [.counter, .timer].contains(cells[$0].source.metric.kind) }
        var pages: [UInt8: (cells: [Int], names: [NameField])] = [0: (sparse, names)]
        for cell in sparse {
            pages[PageField.overflowPage(of: cells[cell].digest), default: ([], [])].cells.append(cell)
        }
        for name in names { pages[name.page, default: ([], [])].names.append(name) }
        for (page, wanted) in pages.sorted(by: { $0.key < $1.key }) {
            let parts = wanted.cells.reduce(0) { $0 + (cells[$1].source.metric.kind == .counter ? 2 : weight(of: $1)) }
            let count = parts * offsets.count + wanted.names.count
            guard count > 0 else { continue }
            var fields: [(CellRequest.Field, [UInt8])]?
            if count <= Bound.fieldsByName {
                fields =
                    wanted.cells.flatMap { pageFields(of: $0, offsets) }
                    + wanted.names.map { (.name($0.metric), $0.field) }
            }
            add(keys.page(place, page), CellRequest(place: place, content: .page), fields)
        }
    }

    private func weight(of cell: Int) -> Int { cells[cell].source.components.count }

    private func pageFields(of cell: Int, _ offsets: [Int]) -> [(CellRequest.Field, [UInt8])] {
        let digest = cells[cell].digest
        if cells[cell].source.metric.kind == .counter {
            return counterFields(cell, offsets) { PageField.cell(digest, offset: $0, isMillionths: $1) }
        }
        return offsets.flatMap { offset in
            TimerComponent.allCases.filter(cells[cell].source.components.contains).map { component in
                (.timer(cell: cell, offset: offset, component), PageField.timer(digest, offset: offset, component))
            }
        }
    }

    private func counterFields(
        _ cell: Int, _ offsets: [Int], bytes: (Int, Bool) -> [UInt8]
    ) -> [(CellRequest.Field, [UInt8])] {
        offsets.flatMap { offset in
            [false, true].map { (.counter(cell: cell, offset: offset, isMillionths: $0), bytes(offset, $0)) }
        }
    }

    /// Adds the keys that hold nothing but one cell: its strips, and for every bucket its sketch or its members.
    private mutating func addOwnKeys(of cell: Int, _ place: CellPlace, _ offsets: [Int], _ keys: CellKeys) {
        let source = cells[cell].source
        func strip(_ letter: UInt8, page: UInt8 = 0) -> [UInt8] {
            keys.own(cell, letter: letter, place.resolution, chunk: place.chunk, page: page)
        }
        func fields(_ field: (Int) -> CellRequest.Field) -> [(CellRequest.Field, [UInt8])]? {
            offsets.count > Bound.fieldsByName
                ? nil : offsets.map { (field($0), PageField.strip(offset: $0, isMillionths: false)) }
        }
        switch source.metric.kind {
        case .counter:
            add(
                strip(StoreKey.Letter.counterStrip), CellRequest(place: place, content: .counterStrip(cell: cell)),
                offsets.count * 2 > Bound.fieldsByName
                    ? nil : counterFields(cell, offsets) { PageField.strip(offset: $0, isMillionths: $1) })
        case .gauge:
            add(
                strip(StoreKey.Letter.gaugeStrip), CellRequest(place: place, content: .gaugeStrip(cell: cell)),
                fields { .gauge(cell: cell, offset: $0) })
        case .timer:
            for component in TimerComponent.allCases where source.components.contains(component) {
                add(
                    strip(StoreKey.Letter.timerStrip, page: component.rawValue),
                    CellRequest(place: place, content: .timerStrip(cell: cell, component)),
                    fields { .timer(cell: cell, offset: $0, component) })
            }
            for offset in source.readsSketch ? offsets : [] {
                let bucket = place.bucket(at: offset)
                add(
                    keys.own(cell, letter: StoreKey.Letter.sketch, place.resolution, chunk: bucket),
                    CellRequest(place: place, content: .sketch(cell: cell, offset: offset)), nil)
            }
        case .set:
            for offset in offsets {
                let bucket = place.bucket(at: offset)
                add(
                    keys.own(cell, letter: StoreKey.Letter.members, place.resolution, chunk: bucket),
                    CellRequest(place: place, content: .members(cell: cell, offset: offset)), nil, verb: "SMEMBERS")
                for quarter in 0..<SetCell.quarters {
                    add(
                        keys.own(
                            cell, letter: StoreKey.Letter.distinct, place.resolution, chunk: bucket, page: quarter + 1),
                        CellRequest(
                            place: place, content: .distinct(cell: cell, offset: offset, quarter: Int(quarter))),
                        nil, verb: "GET")
                }
            }
        }
    }

    /// Reads a key by its fields, or whole where none are named.
    private mutating func add(
        _ key: [UInt8], _ request: CellRequest, _ fields: [(CellRequest.Field, [UInt8])]?, verb: String = "HGETALL"
    ) {
        var request = request
        if let fields {
            request.fields = fields.map(\.0)
            commands.append([Array("HMGET".utf8), key] + fields.map(\.1))
        } else {
            commands.append([Array(verb.utf8), key])
        }
        requests.append(request)
    }

    /// The mark of a cell's field in a page.
    private static let pageMark: UInt64 = 1 << 63
    /// Bytes of a counter's field in a page; a timer's has one more.
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
        var readings = Readings(sources: sources.map(\.metric))
        for (request, reply) in zip(requests, replies) {
            switch request.content {
            case .members(let cell, let offset):
                try readings.take(members: reply.list(), cell: cell, offset: offset, at: request.place)
            case .distinct(let cell, let offset, let quarter):
                try readings.take(distinct: reply, cell: cell, offset: offset, at: request.place, quarter: quarter)
            case .page, .counterStrip, .gaugeStrip, .timerStrip, .sketch:
                try take(reply.list(), of: request, into: &readings)
            }
        }
        return readings
    }

    /// Takes what a hash holds, read by field or whole.
    private func take(_ texts: TextList, of request: CellRequest, into readings: inout Readings) throws(QueryError) {
        if let fields = request.fields {
            guard texts.count == fields.count || texts.isEmpty else { throw Readings.misshapen() }
            try texts.withTexts { values throws(QueryError) in
                for (index, field) in fields.enumerated() where index < texts.count {
                    if let value = values[index] { try readings.take(value, of: field, at: request.place) }
                }
            }
            return
        }
        guard texts.count % 2 == 0 else { throw Readings.misshapen() }
        if case .counterStrip(let cell) = request.content {
            return try readings.take(strip: texts, ofCounter: cell, at: request.place)
        }
        try texts.withTexts { values throws(QueryError) in
            for index in stride(from: 0, to: texts.count, by: 2) {
                guard let name = values[index], let value = values[index + 1],
                    let field = meaning(of: name, in: request)
                else { continue }
                try readings.take(value, of: field, at: request.place)
            }
        }
    }

    /// What a field of a hash that was read whole holds, or nil where it is not wanted.
    private func meaning(of field: UnsafeBufferPointer<UInt8>, in request: CellRequest) -> CellRequest.Field? {
        if case .page = request.content { return meaning(ofPageField: field) }
        guard let number = StoredNumber.number(field).map({ Int($0) }) else { return nil }
        func isOffset(_ number: Int) -> Bool { (0..<Int(Resolution.bucketsPerChunk)).contains(number) }
        switch request.content {
        case .sketch(let cell, let offset): return .sketch(cell: cell, offset: offset, scale: number)
        case .gaugeStrip(let cell): return isOffset(number) ? .gauge(cell: cell, offset: number) : nil
        case .timerStrip(let cell, let component):
            return isOffset(number) ? .timer(cell: cell, offset: number, component) : nil
        case .page, .counterStrip, .members, .distinct: return nil
        }
    }

    private func meaning(ofPageField field: UnsafeBufferPointer<UInt8>) -> CellRequest.Field? {
        guard let first = field.first else { return nil }
        guard first & 0x80 != 0 else {
            return metricOfName.isEmpty ? nil : metricOfName[Array(field)].map { .name($0) }
        }
        guard field.count >= ReadPlan.pageFieldBytes else { return nil }
        var prefix: UInt64 = 0
        for byte in field.prefix(8) { prefix = prefix << 8 | UInt64(byte) }
        guard let cell = cellOfPrefix[prefix] else { return nil }
        let offset = Int(field[8] & 0x7F) << 8 | Int(field[9])
        guard offset < Int(Resolution.bucketsPerChunk) else { return nil }
        let source = cells[cell].source
        switch (source.metric.kind, field.count - ReadPlan.pageFieldBytes) {
        case (.counter, 0): return .counter(cell: cell, offset: offset, isMillionths: field[8] & 0x80 != 0)
        case (.timer, 1):
            guard let component = TimerComponent(rawValue: field[10]), source.components.contains(component)
            else { return nil }
            return .timer(cell: cell, offset: offset, component)
        default: return nil
        }
    }
}
