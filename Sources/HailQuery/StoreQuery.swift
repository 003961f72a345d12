package import HailCore

/// A question that is answered by one round trip to the store after another.
///
/// Send `commands`, hand the replies to `answer`, and do so again until it answers.
package protocol StoreQuery: Sendable {
    /// The subjects the question is about: what a writer still owes them has to be in the store first.
    var subjects: [[String]] { get }

    /// How the answer is written.
    var form: AnswerForm { get }

    /// The commands of the next round trip, each as its words, all of them reads.
    var commands: [[[UInt8]]] { get }

    /// Takes one reply for each command, in order; the answer, or nil where `commands` now holds another round.
    ///
    /// - Throws: `too_costly`, `store_unreadable`.
    mutating func answer(_ replies: [ReadReply]) throws(QueryError) -> JSONValue?
}

extension StoreQuery {
    package var form: AnswerForm { .nested }
}
