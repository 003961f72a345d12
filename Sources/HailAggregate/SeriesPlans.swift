package import HailCore

/// The cells of every series of one lane's table, worked out once per series.
///
/// Confined to the flush queue.
package final class SeriesPlans {
    struct Plan {
        var slotCount: UInt32
        /// Where its record numbers begin: `recordsPerSlot` for slot 0, as many for slot 1, and so on.
        var firstRecord: UInt32
        var recordsPerSlot: UInt32
        var kind: Kind
        /// Lies in the arena.
        var identity: UnsafeBufferPointer<UInt8>
    }

    package let generation: UInt64
    private(set) var plans: [Plan] = []
    private(set) var recordNumbers: [UInt32] = []
    /// Keeps the identities alive.
    private let arena: IdentityArena
    private let namer: Namer

    package init(generation: UInt64, arena: IdentityArena, namer: @escaping Namer) {
        self.namer = namer
        self.generation = generation
        self.arena = arena
    }

    /// Takes over the plans of the series that came from the lane's former table; before any is admitted.
    func carry(_ carried: [CarriedSeries], from former: SeriesPlans) {
        for series in carried {
            var plan = former.plans[Int(series.oldIndex)]
            let count = Int(plan.recordsPerSlot) * Int(plan.slotCount)
            let records = former.recordNumbers[Int(plan.firstRecord)..<(Int(plan.firstRecord) + count)]
            plan.firstRecord = UInt32(recordNumbers.count)
            plan.identity = series.identity
            plans.append(plan)
            recordNumbers += records
        }
    }

    /// Works out the cells of new series; they come in the order of their indices, and those known are passed over.
    ///
    /// Once the book is full they count under shorter names, a stage more with every sixteenth that it is past its
    /// limit; the metrics that are given up add up.
    ///
    /// - Returns: how many of them count under a shorter name.
    package func admit(_ newSeries: [NewSeries], into book: CellBook, _ rules: FanOut.Rules) -> Int {
        var foldedCount = 0
        for series in newSeries where Int(series.index) >= plans.count {
            precondition(Int(series.index) == plans.count, "series are handed over in the order they were met")
            // The lane took it in under this identity, so it has a name.
            guard var name = namer(series.identity) else { preconditionFailure("a series of a table has a name") }
            if let stage = book.foldStage {
                let short = FoldedName.stages(of: name).last { $0.stage.rawValue <= stage.rawValue }?.name ?? name
                name.subject = short.subject
                name.paths = []
                if short.metrics != name.metrics {
                    name.metrics = name.metrics.map { short.metrics.contains($0) ? $0 : Reserved.other }
                }
                foldedCount += 1
            }
            var fanOut = FanOut(name, rules)
            // A gauge says how something is, which says nothing of what it is a part of.
            if name.kind == .gauge { fanOut = fanOut.exact }
            let subjects = fanOut.subjects.map { book.subject($0) }
            plans.append(
                Plan(
                    slotCount: UInt32(name.metrics.count),
                    firstRecord: UInt32(recordNumbers.count),
                    recordsPerSlot: UInt32(subjects.count * fanOut.groups.count), kind: name.kind,
                    identity: series.identity))
            for metric in name.metrics {
                for subject in subjects {
                    for group in fanOut.groups {
                        recordNumbers.append(
                            book.record(subject: subject, group: group.path, metric: metric, kind: name.kind))
                    }
                }
            }
        }
        return foldedCount
    }

    /// Marks the records that the plans need.
    func mark(_ used: inout [Bool]) {
        for number in recordNumbers { used[Int(number)] = true }
    }

    /// Takes the numbers that records have from now on.
    func renumber(_ mapping: [UInt32]) {
        for place in recordNumbers.indices { recordNumbers[place] = mapping[Int(recordNumbers[place])] }
    }
}
