import Dispatch

@testable import HailStore

/// What a writer said, readable from the test's thread.
///
/// `@unchecked Sendable`: `events` is touched only while `queue` runs a block.
final class Journal: @unchecked Sendable {
    private let queue = DispatchQueue(label: "journal")
    private var events: [StoreEvent] = []

    func note(_ event: StoreEvent) { queue.sync { events.append(event) } }

    var all: [StoreEvent] { queue.sync { events } }

    var acknowledged: [(BatchHeader, DeliveryOutcome)] {
        all.compactMap { if case .acknowledged(let header, let outcome) = $0 { (header, outcome) } else { nil } }
    }
}
