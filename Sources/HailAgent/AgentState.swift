import Synchronization

/// What is known of the agent and its store once it has started; readable from any queue.
final class AgentState: Sendable {
    let startedMillis: Int64
    let storeText: String
    let isDurable: Bool
    /// Why the store is durable or not.
    let durability: String
    private let ready = Atomic(false)

    init(startedMillis: Int64, storeText: String, isDurable: Bool, durability: String) {
        self.startedMillis = startedMillis
        self.storeText = storeText
        self.isDurable = isDurable
        self.durability = durability
    }

    /// Whether sockets were bound and the store has answered; it stays true when the store goes away later.
    var isReady: Bool { ready.load(ordering: .acquiring) }

    func becomeReady() { ready.store(true, ordering: .releasing) }
}
