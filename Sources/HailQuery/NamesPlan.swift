package import HailCore

/// Which pages hold the names of a subject's groups and metrics, as commands for one pipelined round trip.
///
/// A name lies in the first page or in the overflow page of its digest, so that one who looks for all of them reads
/// all 65 pages of every chunk.
package struct NamesPlan: Sendable {
    package let subject: [String]
    /// The commands, each as its words.
    package let commands: [[[UInt8]]]

    /// - Parameters:
    ///   - chunks: of a resolution each; names are written into every chunk they are counted in.
    /// - Throws: `too_costly`.
    package init(
        subject: [String], chunks: [(resolution: Resolution, chunks: Range<Int64>)], digester: Digester
    ) throws(QueryError) {
        self.subject = subject
        let pages = Int(PageField.overflowPages) + 1
        guard chunks.reduce(0, { $0 + $1.chunks.count }) <= ReadPlan.Bound.keys / pages else {
            throw ReadPlan.tooCostly()
        }
        let digest = digester(CellName.subjectBytes(subject))
        let shard = Shard(subject: digest)
        commands = chunks.flatMap { resolution, chunks in
            chunks.flatMap { chunk in
                (0...PageField.overflowPages).map { page in
                    [
                        Array("HGETALL".utf8),
                        StoreKey.chunk(
                            letter: StoreKey.Letter.page, shard: shard, digest: digest,
                            widthSeconds: Int64(resolution.storedWidth), chunk: chunk, page: page),
                    ]
                }
            }
        }
    }

    /// The names that the replies hold.
    ///
    /// - Throws: `store_unreadable`.
    package func names(in replies: ArraySlice<ReadReply>) throws(QueryError) -> KnownNames {
        guard replies.count == commands.count else { throw Readings.misshapen() }
        var names = KnownNames()
        for reply in replies {
            let fields = try reply.list()
            guard fields.count % 2 == 0 else { throw Readings.misshapen() }
            fields.withTexts { texts in
                for index in stride(from: 0, to: fields.count, by: 2) {
                    if let field = texts[index] { names.take(field) }
                }
            }
        }
        return names
    }

    /// The plans that find all names the subjects ever had: those of the all-time total.
    static func everKnown(of subjects: PathList, digester: Digester) throws(QueryError) -> [NamesPlan] {
        var plans: [NamesPlan] = []
        for subject in subjects.paths {
            plans.append(try NamesPlan(subject: subject, chunks: [(.allTime, 0..<1)], digester: digester))
        }
        return plans
    }

    /// The names that the replies to several plans hold.
    static func names(of plans: [NamesPlan], in replies: [ReadReply]) throws(QueryError) -> [KnownNames] {
        var rest = replies[...]
        var names: [KnownNames] = []
        for plan in plans {
            names.append(try plan.names(in: rest.prefix(plan.commands.count)))
            rest = rest.dropFirst(plan.commands.count)
        }
        return names
    }
}
