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
        /// Whether the group's name must be in the store's pages.
        var isFull: Bool
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
    private(set) var groups: [[String]] = []
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

    /// By level: whether the resolution keeps sketches and members.
    ///
    /// The all-time total always does.
    let keepsSketches: [Bool]

    /// - Parameters:
    ///   - sketches: the resolutions that keep timers' sketches and sets' members.
    ///   - recordLimit: past so many records, new series are counted without their tags.
    package init(
        ladder: Ladder, sketches: [Resolution] = [], recordLimit: Int = .max, digester: @escaping Digester
    ) {
        self.recordLimit = recordLimit
        self.ladder = ladder
        keepsSketches = ladder.resolutions.map { $0.isAllTime || sketches.contains($0) }
        self.digester = digester
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

    func shard(ofRecord record: UInt32) -> Shard { subjects[Int(records[Int(record)].subject)].shard }

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
    func record(subject: UInt32, group: FanOut.Group, metric: String, kind: Kind) -> UInt32 {
        let name = CellName(subject: subjects[Int(subject)].parts, group: group.path, metric: metric, kind: kind)
        let digest = digester(name.canonicalBytes)
        if let known = recordNumbers.number(of: digest, digestOf: { records[Int($0)].digest }) {
            if group.isFull, !records[Int(known)].isFull {
                records[Int(known)].isFull = true
                forgetMarks(ofRecord: Int(known))
            }
            return known
        }
        let number = UInt32(records.count)
        records.append(
            Record(
                digest: digest, subject: subject, group: intern(group.path), metric: intern(metric), kind: kind,
                isFull: group.isFull))
        cellMarks.append(contentsOf: repeatElement(.none, count: ladder.resolutions.count))
        recordNumbers.insert(number) { [records] in records[Int($0)].digest }
        return number
    }

    func digest(of bytes: [UInt8]) -> Digest { digester(bytes) }

    /// Forgets where cells were put and which names the store was told: it may have lost them.
    package func forgetMarks() {
        for index in cellMarks.indices { cellMarks[index] = .none }
        for index in pageMarks.indices { pageMarks[index] = .none }
        for index in subjects.indices { subjects[index].isAnnounced = subjects[index].parts.isEmpty }
    }

    /// Forgets every record but those marked, and the subjects, groups and metrics that only the others had.
    ///
    /// - Returns: the new number of each record that stays, by its old one; what nobody may use is 0.
    func retain(_ used: [Bool]) -> [UInt32] {
        let old = (records: records, subjects: subjects, groups: groups, metrics: metrics)
        let oldMarks = (cells: cellMarks, pages: pageMarks)
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
        for (number, record) in old.records.enumerated() where used[number] {
            let new = UInt32(records.count)
            records.append(
                Record(
                    digest: record.digest, subject: moved(record.subject), group: intern(old.groups[Int(record.group)]),
                    metric: intern(old.metrics[Int(record.metric)]), kind: record.kind, isFull: record.isFull))
            cellMarks += oldMarks.cells[(number * levels)..<((number + 1) * levels)]
            recordNumbers.insert(new) { [records] in records[Int($0)].digest }
            mapping[number] = new
        }
        return mapping
    }

    private func forgetMarks(ofRecord record: Int) {
        let count = ladder.resolutions.count
        for index in (record * count)..<((record + 1) * count) { cellMarks[index] = .none }
    }

    private func intern(_ path: [String]) -> UInt32 {
        let bytes = CellName.joined(path)
        if let known = groupNumbers[bytes] { return known }
        let number = UInt32(groups.count)
        groups.append(path)
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
