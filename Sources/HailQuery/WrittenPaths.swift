package import HailCore

/// Where one event counts, from the parameters of a write.
package struct WrittenPaths: Sendable {
    /// The paths as written, without the overall one and without those that another extends: a reader that knows
    /// these knows every prefix of them.
    package let full: [[String]]
    /// Every path the event counts at, each once.
    ///
    /// For dimensions the overall group, which is empty, comes first.
    package let counted: [[String]]
    /// Whether the paths count at their full length only.
    package let isExact: Bool

    /// Reads `dimensions`: every prefix of every path and the overall group; a list of lists counts at exactly those
    /// paths and the overall group.
    ///
    /// - Throws: `bad_path`.
    package init(dimensions value: JSONValue?) throws(QueryError) {
        let list = try PathList(
            value, parameter: "dimensions", depth: Limits.pathDepth, refusesReserved: true)
        self.init(list, counting: [[]])
    }

    /// Reads `pk`: every prefix of every path, without the overall subject unless nothing else is named.
    ///
    /// - Throws: `bad_path`.
    package init(subject value: JSONValue?) throws(QueryError) {
        let list = try PathList(value, parameter: "pk", depth: Limits.subjectParts, refusesReserved: true)
        self.init(list, counting: list.paths.contains([]) ? [[]] : [])
    }

    private init(_ list: PathList, counting first: [[String]]) {
        let written = list.paths.filter { !$0.isEmpty }
        var counted = first
        var seen = Set(first.map(Name.path))
        var extended: Set<[Name]> = []
        for path in written {
            for length in 1...path.count {
                let prefix = Array(path.prefix(length))
                if length < path.count { extended.insert(Name.path(prefix)) }
                guard length == path.count || !list.isExact else { continue }
                if seen.insert(Name.path(prefix)).inserted { counted.append(prefix) }
            }
        }
        full = written.filter { !extended.contains(Name.path($0)) }
        self.counted = counted
        isExact = list.isExact
    }
}
