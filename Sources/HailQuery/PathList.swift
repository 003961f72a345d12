package import HailCore

/// Paths as a parameter spells them: `pk` or `dimensions`.
///
/// A bare string or a list is one path; a list of lists is several; an object nests, one path a leaf; nothing, `_` and
/// `["_"]` are the overall path, which is empty here.
package struct PathList: Sendable {
    /// In the order given, each once.
    package let paths: [[String]]
    /// Whether a list of lists spelt them, which on a write counts at exactly these.
    package let isExact: Bool

    /// Paths one parameter may hold.
    package static let mostPaths = Limits.tags

    /// Reads a parameter; nothing is the overall path.
    ///
    /// - Parameters:
    ///   - depth: the parts a path may have.
    ///   - refusesReserved: whether the names that only the agent writes are refused: true on writes.
    /// - Throws: `bad_path`.
    package init(
        _ value: JSONValue?, parameter: String, depth: Int, refusesReserved: Bool = false
    ) throws(QueryError) {
        let rules = Rules(parameter: parameter, depth: depth, refusesReserved: refusesReserved)
        var found: [[String]] = []
        try rules.collect(value ?? .null, under: [], into: &found)
        var seen: Set<[Name]> = []
        let paths = found.filter { seen.insert(Name.path($0)).inserted }
        self.paths = paths.isEmpty ? [[]] : paths
        isExact =
            if case .array(let items) = value { items.contains { if case .array = $0 { true } else { false } } } else {
                false
            }
    }

    /// One answer a path as one: bare where one path was asked for, else by path.
    func answer(_ answers: [JSONValue]) -> JSONValue {
        if let only = answers.first, paths.count == 1 { return only }
        return .object(zip(paths, answers).map { JSONValue.Member(DimensionKey.text($0), $1) })
    }

    private struct Rules {
        let parameter: String
        let depth: Int
        let refusesReserved: Bool

        func collect(
            _ value: JSONValue, under prefix: [String], nesting: Int = 0, into found: inout [[String]]
        ) throws(QueryError) {
            guard prefix.count <= depth, nesting <= 2 * Limits.subjectParts else { throw tooDeep(prefix) }
            switch value {
            case .null, .written:
                try append(prefix, to: &found)
            case .bool, .number, .string:
                // An empty text names nothing, like a parameter that is not there.
                let part = value.text ?? ""
                try append(part.isEmpty ? prefix : prefix + [part], to: &found)
            case .array(let items) where items.allSatisfy(\.isScalar):
                var path = prefix
                for item in items {
                    guard let part = item.text else {
                        throw refused("holds null inside a list; a list is one path of names or numbers")
                    }
                    path.append(part)
                }
                try append(path, to: &found)
            case .array(let items):
                for item in items {
                    // On a read `["_",["country","US"]]` can only mean two paths; a write says what it means.
                    guard !item.isScalar || !refusesReserved else {
                        throw refused(
                            "mixes names and lists; write one path as [\"a\",\"b\"], several as [[\"a\"],[\"b\"]]")
                    }
                    try collect(item, under: prefix, nesting: nesting + 1, into: &found)
                }
            case .object(let members):
                if members.isEmpty { try append(prefix, to: &found) }
                for member in members {
                    try collect(
                        member.value, under: prefix + [member.name], nesting: nesting + 1, into: &found)
                }
            }
        }

        private func append(_ path: [String], to found: inout [[String]]) throws(QueryError) {
            guard found.count < PathList.mostPaths else {
                throw refused("holds more than \(PathList.mostPaths) paths")
            }
            found.append(path == [Reserved.overall] ? [] : try checked(path))
        }

        private func checked(_ path: [String]) throws(QueryError) -> [String] {
            guard path.count <= depth else { throw tooDeep(path) }
            for part in path {
                if let fault = fault(of: part) { throw refused(fault + ": " + quoted(DimensionKey.text(path))) }
            }
            return path
        }

        private func fault(of part: String) -> String? {
            if part.isEmpty { return "has an empty part" }
            if part.utf8.count > Limits.partBytes {
                return "has the part \(quoted(part)) of \(part.utf8.count) bytes; \(Limits.partBytes) are allowed"
            }
            if part.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "has a part with a control byte" }
            if part == Reserved.overall { return "has `_` inside a longer path; alone it is the overall group" }
            if refusesReserved, part == Reserved.other || Reserved.isCrossed(part) {
                return "uses \(quoted(part)), which the agent alone writes"
            }
            return nil
        }

        private func tooDeep(_ path: [String]) -> QueryError {
            refused("has a path of more than \(depth) parts: " + quoted(DimensionKey.text(path)))
        }

        private func refused(_ fault: String) -> QueryError {
            QueryError(.badPath, parameter, "The parameter \(fault).")
        }
    }
}

extension JSONValue {
    /// Whether it is no list and no object.
    var isScalar: Bool {
        switch self {
        case .null, .bool, .number, .string: true
        case .array, .object, .written: false
        }
    }

    /// A name, a number as its text, or a truth value as the word; nil for null, lists and objects.
    var text: String? {
        switch self {
        case .string(let text), .number(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object, .written: nil
        }
    }
}
