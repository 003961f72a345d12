import HailStore

/// Takes the store's reports to the flusher, which is made after the store's side.
///
/// `@unchecked Sendable`: `target` is set once, before the store's side starts.
final class StoreEvents: @unchecked Sendable {
    weak var target: Flusher?

    func report(_ event: StoreEvent) { target?.handle(event) }
}
