/// What a round of batches came to.
struct RoundOutcome {
    /// Cells that the store has now.
    var cells = 0
    /// How long the store took.
    var seconds = 0.0
    var needsScript = false
    /// Why some shards wait.
    var holdReason: String?
    /// Answers that were taken, and those of them that made a shard wait.
    var answerCount = 0
    var holdCount = 0
}
