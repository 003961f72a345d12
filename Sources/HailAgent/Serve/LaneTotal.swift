import Synchronization

/// Adds up what the lanes say they hold.
final class LaneTotal: Sendable {
    private let sum = Atomic(0)

    var value: Int { sum.load(ordering: .acquiring) }

    func add(_ count: Int) { sum.wrappingAdd(count, ordering: .releasing) }
}
