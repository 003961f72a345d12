package import HailCore

/// Where an event counts: at which subjects, and at which groups of each.
package struct FanOut: Sendable {
    package struct Group: Sendable {
        package let path: [String]
        /// Whether a line named the path in full, so that the store should know its name.
        package let isFull: Bool
    }

    /// What the configuration says of it.
    package struct Rules: Sendable {
        /// Dimensions that are forgotten before anything is counted.
        package var droppedDimensions: Set<Name>
        package var views: [View]

        package init(droppedDimensions: Set<Name> = [], views: [View] = []) {
            self.droppedDimensions = droppedDimensions
            self.views = views
        }
    }

    /// Every non-empty prefix of the subject, or the overall subject alone.
    package let subjects: [[String]]
    /// The overall group and every prefix of every path and of every view's, each once.
    package let groups: [Group]

    package init(_ name: SeriesName, _ rules: Rules = Rules()) {
        subjects =
            name.subject.isEmpty
            ? [[]] : (1...name.subject.count).map { Array(name.subject.prefix($0)) }
        // By bytes: as text, `é` and `e` with an accent of its own are equal, but they are two names.
        var fullByPath: [[UInt8]: Bool] = [[]: false]
        var order: [[String]] = [[]]
        func count(_ path: [String], from first: Int) {
            for depth in first...path.count {
                let prefix = Array(path.prefix(depth))
                let isFull = depth == path.count
                let bytes = CellName.joined(prefix)
                if let known = fullByPath[bytes] {
                    fullByPath[bytes] = known || isFull
                } else {
                    fullByPath[bytes] = isFull
                    order.append(prefix)
                }
            }
        }
        let paths = name.paths.filter { !$0.isEmpty && !rules.droppedDimensions.contains(Name($0[0])) }
        for path in paths { count(path, from: name.isExact ? path.count : 1) }
        var room = Limits.crossings
        // Exact paths count where they say, and nowhere else.
        for view in name.isExact ? [] : rules.views {
            let crossings = view.crossings(of: paths, limit: room)
            room -= crossings.count
            for path in crossings { count(path, from: 1) }
        }
        groups = order.map { Group(path: $0, isFull: fullByPath[CellName.joined($0)] ?? false) }
    }

    private init(subjects: [[String]], groups: [Group]) {
        self.subjects = subjects
        self.groups = groups
    }

    /// The subject itself, at the overall group and at every full path.
    package var exact: FanOut {
        FanOut(subjects: subjects.suffix(1), groups: groups.filter { $0.path.isEmpty || $0.isFull })
    }
}
