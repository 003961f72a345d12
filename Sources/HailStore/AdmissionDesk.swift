package import HailCore

/// What the store answered to a question.
package struct AdmissionAnswer: Equatable, Sendable {
    package let ask: AdmissionAsk
    /// By page and item.
    package let verdicts: [[AdmissionAsk.Verdict]]
}

/// The questions that wait for the store's answer; one that gets none is asked again.
///
/// Pure.
struct AdmissionDesk {
    /// What a round came to.
    struct Outcome: Equatable {
        var answers: [AdmissionAnswer] = []
        var needsScript = false
        /// Why the store answered some of it with nothing but an error.
        var heldReason: String?
    }

    private var asks: [AdmissionAsk] = []
    private var scriptHash: [UInt8] = []
    /// Whether nothing is asked until the next try.
    var isHeld = false

    var isEmpty: Bool { asks.isEmpty }

    mutating func add(_ ask: AdmissionAsk) { asks.append(ask) }

    mutating func use(scriptHash: [UInt8]) { self.scriptHash = scriptHash }

    /// The next questions, one at least, up to a size.
    func commands(limitBytes: Int) -> [RedisCommand] {
        var commands: [RedisCommand] = []
        var bytes = 0
        for ask in isHeld ? [] : asks where bytes < limitBytes {
            commands.append(AdmissionScript.command(for: ask, scriptHash: scriptHash))
            bytes += commands[commands.count - 1].bytes.count
        }
        return commands
    }

    /// Takes the replies to `commands`.
    mutating func take(_ replies: [StoreReply]) -> Outcome {
        var outcome = Outcome()
        var left: [AdmissionAsk] = []
        for (ask, reply) in zip(asks, replies) {
            guard case .error(let text) = reply else {
                // An answer that makes no sense must not stop counting.
                let verdicts =
                    AdmissionScript.verdicts(reply, to: ask) ?? ask.pages.map { $0.items.map { _ in .unreadable } }
                outcome.answers.append(AdmissionAnswer(ask: ask, verdicts: verdicts))
                continue
            }
            left.append(ask)
            if text.hasPrefix("NOSCRIPT") { outcome.needsScript = true } else { outcome.heldReason = text }
        }
        asks = left + asks.dropFirst(replies.count)
        isHeld = outcome.heldReason != nil
        return outcome
    }
}
