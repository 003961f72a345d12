package import HailCore

/// The groups and metrics a subject is known to have.
package struct KnownNames: Equatable, Sendable {
    /// A metric of a kind.
    package struct Metric: Hashable, Sendable {
        package let name: Name
        package let kind: Kind

        package init(name: Name, kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    /// Every group but the overall one, prefixes included.
    package private(set) var groups: Set<[Name]> = []
    package private(set) var metrics: Set<Metric> = []

    package init() {}

    /// Takes a field of a page; one that is no name is passed over.
    mutating func take(_ field: UnsafeBufferPointer<UInt8>) {
        // The mark of a cell's field is a first byte that no name begins with.
        guard let letter = field.first, letter < 0x80 else { return }
        if letter == UInt8(ascii: "g") {
            var path = field.dropFirst().split(separator: 0, omittingEmptySubsequences: false)
                .map { Name(String(decoding: $0, as: UTF8.self)) }
            guard path.allSatisfy({ !$0.text.isEmpty }) else { return }
            while !path.isEmpty, groups.insert(path).inserted { path.removeLast() }
        } else if letter == UInt8(ascii: "m"), field.count > 2, let kind = Kind(letter: field[1]) {
            metrics.insert(Metric(name: Name(String(decoding: field.dropFirst(2), as: UTF8.self)), kind: kind))
        }
    }

    /// The groups one part longer than each path, sorted by that part.
    package var children: [[Name]: [[String]]] {
        Dictionary(grouping: groups) { Array($0.dropLast()) }
            .mapValues { $0.sorted { ($0.last ?? "") < ($1.last ?? "") }.map { $0.map(\.text) } }
    }
}
