import Synchronization

/// What is known of the agent and its store; readable from any queue.
///
/// `@unchecked Sendable`: the store's standing is written once, before `ready` is, and read only after.
final class AgentState: @unchecked Sendable {
    let startedMillis: Int64
    let storeText: String
    private var standing: (isDurable: Bool, reason: String) = (false, "the store has not answered yet")
    private let ready = Atomic(false)

    init(startedMillis: Int64, storeText: String) {
        self.startedMillis = startedMillis
        self.storeText = storeText
    }

    /// Whether sockets were bound and the store has answered; it stays true when the store goes away later.
    var isReady: Bool { ready.load(ordering: .acquiring) }

    var isDurable: Bool { isReady && standing.isDurable }

    /// Why the store is durable or not.
    var durability: String { isReady ? standing.reason : "the store has not answered yet" }

    /// The store has answered.
    func becomeReady(isDurable: Bool, reason: String) {
        standing = (isDurable, reason)
        ready.store(true, ordering: .releasing)
    }
}
