package import HailCore

/// A declared crossing of dimensions, counted as a dimension of its own: `country×plan`.
package struct View: Hashable, Comparable, Sendable {
    /// Two to seven different ones, in the order in which their values stand in a path.
    package let dimensions: [Name]

    package init(_ dimensions: [String]) { self.dimensions = Name.path(dimensions) }

    /// The dimension that it is counted as.
    package var name: String { dimensions.map(\.text).joined(separator: Reserved.cross) }

    package static func < (left: View, right: View) -> Bool { Name(left.name) < Name(right.name) }

    /// Where an event with these paths counts for the view, in full; nowhere if it lacks one of the dimensions.
    ///
    /// A path has a value of each dimension: of the last one with all its parts, of the others the first part. It ends
    /// before a dimension that came without a value. A dimension that came with several values makes as many paths; if
    /// they would be more than `limit` together, the event counts for the view as a whole alone.
    func crossings(of paths: [[String]], limit: Int) -> [[String]] {
        let values = dimensions.enumerated().map { place, dimension in
            let isLast = place == dimensions.count - 1
            var seen: Set<[Name]> = []
            return paths.compactMap { path -> [String]? in
                guard let first = path.first, Name(first) == dimension else { return nil }
                let value = Array(path.dropFirst().prefix(isLast ? Limits.pathDepth - dimensions.count : 1))
                return seen.insert(Name.path(value)).inserted ? value : nil
            }
        }
        let count = values.reduce(1) { $0 * $1.count }
        guard count > 0 else { return [] }
        guard count <= limit else { return [[name]] }
        var open = [[name]]
        var ended: [[String]] = []
        for choices in values {
            ended += choices.contains([]) ? open : []
            open = open.flatMap { path in choices.compactMap { $0.isEmpty ? nil : path + $0 } }
        }
        return ended + open
    }
}
