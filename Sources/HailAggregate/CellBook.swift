package import HailCore

/// Every subject, group and counter that the flush side knows, each under a small number; and what it remembers of
/// where their cells were last put in the store.
///
/// Confined to the flush queue.
package final class CellBook {
    /// What is counted: a metric of a kind, at a group of a subject.
    struct Record {
        let digest: Digest
        let subject: UInt32
        let group: UInt32
        let metric: UInt32
        let kind: Kind
        /// The subject's.
        let shard: Shard
        /// What has to be admitted for it to be written; see `Admissions`.
        let node: UInt32
    }

    struct Group {
        let path: [String]
        /// The group one part shorter; its own number for the overall group and for dimensions.
        let parent: UInt32
        /// The digest of its name in a page.
        let digest: Digest
        /// Whether it holds what was refused, so that it is never refused itself.
        let isOther: Bool
    }

    /// What a record of a refused node is counted under.
    private struct OtherKey: Hashable {
        let subject: UInt32
        /// The group it is a child of; nil for the other dimensions of a subject.
        let parent: UInt32?
        let metric: UInt32
        let kind: Kind
    }

    struct Subject {
        let parts: [String]
        let digest: Digest
        let shard: Shard
        /// The number of the parent; the subject's own where it has none (the overall subject).
        let parent: UInt32
        /// Whether the store was told that the parent has this child.
        var isAnnounced: Bool
    }

    /// Where the cells of a record went in the newest chunk of one resolution.
    struct CellMark {
        var chunk: Int32
        var lastOffset: Int16
        /// Buckets written in the chunk, at most 255.
        var bucketCount: UInt8
        /// Whether new buckets go to the subject's first page (else its overflow page).
        var isOnFirstPage: Bool

        static let none = CellMark(chunk: .min, lastOffset: -1, bucketCount: 0, isOnFirstPage: false)
    }

    /// How many fields this agent put in a subject's first page of the newest chunk of one resolution.
    struct PageMark {
        var chunk: Int32
        var fieldCount: Int32

        static let none = PageMark(chunk: .min, fieldCount: 0)
    }

    package let ladder: Ladder
    private let recordLimit: Int
    private let digester: Digester
    private(set) var records: [Record] = []
    var subjects: [Subject] = []
    private(set) var groups: [Group] = []
    private(set) var metrics: [String] = []
    /// By record, then resolution.
    var cellMarks: [CellMark] = []
    /// By subject, then resolution.
    var pageMarks: [PageMark] = []
    // By digest or by bytes, never by text: Unicode calls texts equal that are different names.
    private var recordNumbers = DigestIndex()
    private var subjectNumbers: [Digest: UInt32] = [:]
    private var groupNumbers: [[UInt8]: UInt32] = [:]
    private var metricNumbers: [[UInt8]: UInt32] = [:]
    private var others: [OtherKey: UInt32] = [:]
    private(set) var admissions: Admissions

    /// By level: whether the resolution keeps sketches and members.
    ///
    /// The all-time total always does.
    let keepsSketches: [Bool]

    /// - Parameters:
    ///   - sketches: the resolutions that keep timers' sketches and sets' members.
    ///   - recordLimit: past so many records, new series are counted without their tags.
    ///   - valueLimit: so many values of a dimension of a subject are kept in a chunk; `.max` asks for none.
    package init(
        ladder: Ladder, sketches: [Resolution] = [], recordLimit: Int = .max, valueLimit: Int = .max,
        digester: @escaping Digester
    ) {
        admissions = Admissions(valueLimit: valueLimit, levels: ladder.resolutions.count)
        self.recordLimit = recordLimit
        self.ladder = ladder
        keepsSketches = ladder.resolutions.map { resolution in
            // The days of zones do as those of UTC.
            resolution.isAllTime
                || sketches.contains {
                    $0.widthSeconds == resolution.widthSeconds && $0.keptSeconds == resolution.keptSeconds
                }
        }
        self.digester = digester
    }

    /// By level: the bucket that a span counts in; nil where it counts in none.
    func buckets(of key: SpanSums.Key, nowSeconds: Int64) -> [Int64?] {
        ladder.buckets(holding: key.startSeconds, lengthSeconds: key.widthSeconds, nowSeconds: nowSeconds)
    }

    package var recordCount: Int { records.count }

    /// How short the names of new series must be, since there are as many records as there should be; nil while there
    /// are fewer.
    var foldStage: FoldedName.Stage? {
        guard records.count >= recordLimit else { return nil }
        let stages = FoldedName.Stage.allCases
        return stages[min((records.count - recordLimit) / max(1, recordLimit / 16), stages.count - 1)]
    }
    package var subjectCount: Int { subjects.count }

    func shard(ofRecord record: UInt32) -> Shard { records[Int(record)].shard }

    /// The number of a subject; its ancestors get theirs too.
    func subject(_ parts: [String]) -> UInt32 {
        let digest = digester(CellName.subjectBytes(parts))
        if let known = subjectNumbers[digest] { return known }
        let parent = parts.isEmpty ? nil : subject(Array(parts.dropLast()))
        let number = UInt32(subjects.count)
        subjects.append(
            Subject(
                parts: parts, digest: digest, shard: Shard(subject: digest), parent: parent ?? number,
                isAnnounced: parts.isEmpty))
        pageMarks.append(contentsOf: repeatElement(.none, count: ladder.resolutions.count))
        subjectNumbers[digest] = number
        return number
    }

    /// The number of a counter.
    func record(subject: UInt32, group path: [String], metric: String, kind: Kind) -> UInt32 {
        let name = CellName(subject: subjects[Int(subject)].parts, group: path, metric: metric, kind: kind)
        let digest = digester(name.canonicalBytes)
        if let known = recordNumbers.number(of: digest, digestOf: { records[Int($0)].digest }) { return known }
        return append(digest: digest, subject: subject, group: intern(path), metric: intern(metric), kind: kind)
    }

    private func append(digest: Digest, subject: UInt32, group: UInt32, metric: UInt32, kind: Kind) -> UInt32 {
        let number = UInt32(records.count)
        records.append(
            Record(
                digest: digest, subject: subject, group: group, metric: metric, kind: kind,
                shard: subjects[Int(subject)].shard,
                node: node(subject: subject, group: group)))
        cellMarks.append(contentsOf: repeatElement(.none, count: ladder.resolutions.count))
        recordNumbers.insert(number) { [records] in records[Int($0)].digest }
        return number
    }

    private func node(subject: UInt32, group: UInt32) -> UInt32 {
        let own = groups[Int(group)]
        guard admissions.isBounded, !own.path.isEmpty, !own.isOther else { return Admissions.none }
        let parent = own.parent == group ? Admissions.none : node(subject: subject, group: own.parent)
        return admissions.node(subject: subject, group: group, parent: parent)
    }

    /// The record that counts what is refused beside a node, for the metric of a record.
    func other(of number: UInt32, beside node: UInt32) -> UInt32 {
        let record = records[Int(number)]
        let group = groups[Int(admissions.nodes[Int(node)].group)]
        let key = OtherKey(
            subject: record.subject, parent: group.path.count > 1 ? group.parent : nil, metric: record.metric,
            kind: record.kind)
        if let known = others[key] { return known }
        let other = self.record(
            subject: record.subject, group: group.path.dropLast() + [Reserved.other],
            metric: metrics[Int(record.metric)], kind: record.kind)
        others[key] = other
        return other
    }

    func digest(of bytes: [UInt8]) -> Digest { digester(bytes) }

    /// Forgets where cells were put and which names the store was told: it may have lost them.
    package func forgetMarks() {
        for index in cellMarks.indices { cellMarks[index] = .none }
        for index in pageMarks.indices { pageMarks[index] = .none }
        admissions.forgetMarks()
        for index in subjects.indices { subjects[index].isAnnounced = subjects[index].parts.isEmpty }
    }

    /// Forgets every record but those marked, and the subjects, groups and metrics that only the others had.
    ///
    /// - Returns: the new number of each record that stays, by its old one; what nobody may use is 0.
    func retain(_ used: [Bool]) -> [UInt32] {
        let old = (records: records, subjects: subjects, groups: groups, metrics: metrics)
        let oldMarks = (cells: cellMarks, pages: pageMarks, admissions: admissions)
        let levels = ladder.resolutions.count
        records = []
        subjects = []
        groups = []
        metrics = []
        cellMarks = []
        pageMarks = []
        recordNumbers = DigestIndex()
        subjectNumbers = [:]
        groupNumbers = [:]
        metricNumbers = [:]
        others = [:]
        admissions = oldMarks.admissions.emptied()
        var mapping = [UInt32](repeating: 0, count: old.records.count)
        var subjectMapping: [UInt32: UInt32] = [:]
        func moved(_ subject: UInt32) -> UInt32 {
            if let known = subjectMapping[subject] { return known }
            let was = old.subjects[Int(subject)]
            if was.parent != subject { _ = moved(was.parent) }
            let number = self.subject(was.parts)
            subjects[Int(number)].isAnnounced = was.isAnnounced
            for level in 0..<levels {
                pageMarks[Int(number) * levels + level] = oldMarks.pages[Int(subject) * levels + level]
            }
            subjectMapping[subject] = number
            return number
        }
        func moveMarks(to node: UInt32, from oldNode: UInt32) {
            guard node != Admissions.none else { return }
            admissions.take(node, from: oldMarks.admissions, oldNode)
            moveMarks(to: admissions.nodes[Int(node)].parent, from: oldMarks.admissions.nodes[Int(oldNode)].parent)
        }
        for (number, record) in old.records.enumerated() where used[number] {
            let new = append(
                digest: record.digest, subject: moved(record.subject),
                group: intern(old.groups[Int(record.group)].path), metric: intern(old.metrics[Int(record.metric)]),
                kind: record.kind)
            cellMarks.replaceSubrange(
                (Int(new) * levels)..., with: oldMarks.cells[(number * levels)..<((number + 1) * levels)])
            moveMarks(to: records[Int(new)].node, from: record.node)
            mapping[number] = new
        }
        return mapping
    }

    private func intern(_ path: [String]) -> UInt32 {
        let bytes = CellName.joined(path)
        if let known = groupNumbers[bytes] { return known }
        let parent = path.count > 1 ? intern(Array(path.dropLast())) : nil
        let number = UInt32(groups.count)
        groups.append(
            Group(
                path: path, parent: parent ?? number, digest: digester(PageField.group(path)),
                isOther: path.last == Reserved.other))
        groupNumbers[bytes] = number
        return number
    }

    private func intern(_ metric: String) -> UInt32 {
        let bytes = Array(metric.utf8)
        if let known = metricNumbers[bytes] { return known }
        let number = UInt32(metrics.count)
        metrics.append(metric)
        metricNumbers[bytes] = number
        return number
    }
}
