package import HailCore

/// `/subjects`: the known children of a subject whose name begins with a text.
///
/// `Pro` asks for top-level subjects that begin so, `["Product","4"]` for children of `Product` that do, and
/// `["Product",""]` for all of them.
package struct SubjectsQuery: StoreQuery {
    private let parent: [String]
    private let limit: Int
    package let commands: [[[UInt8]]]

    /// Subjects one answer holds where `limit` names no smaller number.
    package static let mostSubjects = 10_000

    /// Reads the parameters `prefix` and `limit`.
    ///
    /// - Throws: `bad_path`, `bad_value`.
    package init(parameters: [String: JSONValue], digester: Digester) throws(QueryError) {
        var path: [JSONValue] = []
        switch parameters["prefix"] ?? .null {
        case .null: break
        case .array(let items): path = items
        case .string, .number, .bool: path = [parameters["prefix"] ?? .null]
        case .object, .written:
            throw QueryError(.badPath, "prefix", "The prefix is a text or one path such as [\"Product\",\"4\"].")
        }
        let text = path.popLast() ?? .string("")
        guard let beginning = text.text, beginning.utf8.count <= Limits.partBytes else {
            throw QueryError(
                .badPath, "prefix", "The last part of the prefix is no text of \(Limits.partBytes) bytes at most.")
        }
        let parents = try PathList(.array(path), parameter: "prefix", depth: Limits.subjectParts)
        guard parents.paths.count == 1, !parents.isExact else {
            throw QueryError(.badPath, "prefix", "There is one prefix: a text or one path such as [\"Product\",\"4\"].")
        }
        parent = parents.paths[0]
        let asked = try PlotOptions.whole("limit", parameters, upTo: SubjectsQuery.mostSubjects) ?? 0
        limit = asked == 0 ? SubjectsQuery.mostSubjects : asked
        let digest = digester(CellName.subjectBytes(parent))
        let key = StoreKey.named(letter: StoreKey.Letter.names, shard: Shard(subject: digest), digest: digest)
        // No UTF-8 text holds 0xFF, so what begins so lies between the text and the text with it.
        let bounds =
            beginning.isEmpty
            ? [Array("-".utf8), Array("+".utf8)]
            : [Array("[\(beginning)".utf8), Array("(\(beginning)".utf8) + [0xFF]]
        commands = [
            [Array("ZRANGEBYLEX".utf8), key] + bounds + [Array("LIMIT".utf8), Array("0".utf8), Array("\(limit)".utf8)]
        ]
    }

    package var subjects: [[String]] { [parent] }

    /// A list of subjects, written as in other answers, in the order of their bytes.
    package func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue? {
        guard replies.count == 1, let reply = replies.first else { throw Readings.misshapen() }
        var subjects: [JSONValue] = []
        let members = try reply.list()
        members.withTexts { texts in
            for case .some(let text) in (0..<members.count).map({ texts[$0] }) {
                subjects.append(.string(DimensionKey.text(parent + [String(decoding: text, as: UTF8.self)])))
            }
        }
        return .array(subjects)
    }
}
