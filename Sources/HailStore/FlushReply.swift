/// What the flush script answered.
package enum FlushReply: Equatable, Sendable {
    case applied(FlushTally)
    /// The batch was applied before.
    case duplicate
    /// The store saw `last` and not what lies between that and the batch: it went back.
    case gap(last: UInt64)
    /// The store knows nothing of this agent in this shard, and the batch is not the first.
    case missing
    /// The script refused the batch and wrote nothing; sending it again cannot mend it.
    case broken(String)
    /// Something went wrong in the middle: the guard is set, and some cells were written.
    case partial(String)
    /// The store did nothing, for a reason that may pass: `LOADING`, `BUSY`, `OOM`, `READONLY`, `MISCONF`…
    case held(String)
    /// The store does not know the script (any more).
    case noScript

    package init(_ reply: StoreReply) {
        switch reply {
        case .error(let text):
            self = text.hasPrefix("NOSCRIPT") ? .noScript : .held(text)
        case .array(let items):
            switch (items.first?.text, items.count) {
            case ("applied", 7): self = FlushReply.applied(items)
            case ("duplicate", 2): self = .duplicate
            case ("gap", 2):
                if let last = items[1].number, last > 0 {
                    self = .gap(last: UInt64(last))
                } else {
                    self = .broken("a gap behind nothing")
                }
            case ("missing", 1): self = .missing
            case ("partial", 2): self = .partial("partial: " + (items[1].text ?? ""))
            case ("malformed", 2): self = .broken("malformed: " + (items[1].text ?? ""))
            default: self = .broken("an answer that makes no sense")
            }
        default: self = .broken("an answer that makes no sense")
        }
    }

    private static func applied(_ items: [StoreReply]) -> FlushReply {
        var numbers: [Int] = []
        for item in items[1..<6] {
            guard let number = item.number, number >= 0 else { return .broken("an answer that makes no sense") }
            numbers.append(Int(number))
        }
        guard case .array(let used) = items[6] else { return .broken("an answer that makes no sense") }
        var dead: [DeadReason: Int] = [:]
        for (reason, count) in zip(DeadReason.allCases, numbers[2...]) where count > 0 { dead[reason] = count }
        return .applied(
            FlushTally(
                writtenFields: numbers[0], expiredFields: numbers[1], deadByReason: dead,
                usedGroups: used.compactMap { item in item.number.flatMap { $0 > 0 ? Int($0) - 1 : nil } }))
    }
}

/// What applying a batch came to.
package struct FlushTally: Equatable, Sendable {
    package var writtenFields: Int
    /// Fields not written, since their chunk was past its expiry.
    package var expiredFields: Int
    package var deadByReason: [DeadReason: Int]
    /// Conditional groups (by place in the batch) whose once-id was not new, so that nothing of them counted.
    package var usedGroups: [Int]

    package static let nothing = FlushTally(writtenFields: 0, expiredFields: 0, deadByReason: [:], usedGroups: [])
}

/// Why a cell could not be added to what the store holds.
///
/// Each has a label in `hailwhale_cells_dead_total{reason}`.
package enum DeadReason: String, CaseIterable, Sendable {
    case wrongType = "wrong_type"
    case overflow
    /// What the field holds is not the number that it must be.
    case notInteger = "not_integer"
    /// A batch was applied in part: so many cells at most.
    case partial

    /// What the store's error to one command means for the cell; nil for what is none of the cell's doing.
    init?(errorText text: String) {
        if text.hasPrefix("WRONGTYPE") || text.hasPrefix("INVALIDOBJ") {
            self = .wrongType
        } else if text.contains("would overflow") {
            self = .overflow
        } else if text.contains("hash value is not") {
            self = .notInteger
        } else {
            return nil
        }
    }

    /// How it is written in the list of dead cells.
    var number: Int {
        switch self {
        case .wrongType: 1
        case .overflow: 2
        case .notInteger: 3
        case .partial: 4
        }
    }
}
