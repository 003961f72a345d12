/// What the identity bytes of a series say: whom its events are about and which values they carry.
package struct SeriesName: Equatable, Sendable {
    /// The subject path; empty is the overall subject `_`.
    package var subject: [String]
    /// One metric a value slot, in the order of the line; the implied `hits`, where there is one, is the last.
    package var metrics: [String]
    package var kind: Kind
    /// Dimension paths as the line gave them, repeats included.
    package var paths: [[String]]
    /// Whether the paths count only at their full length (and at `_`), not at every prefix.
    package var isExact: Bool

    package init(subject: [String], metrics: [String], kind: Kind, paths: [[String]], isExact: Bool = false) {
        self.subject = subject
        self.metrics = metrics
        self.kind = kind
        self.paths = paths
        self.isExact = isExact
    }

    /// What every event of the event form counts besides its own metrics.
    package static let hits = "hits"
}

/// Reads what the identity bytes of a series say, or nil where no series may have them; handed to those who know
/// nothing of lines.
package typealias Namer = @Sendable (_ identity: UnsafeBufferPointer<UInt8>) -> SeriesName?
