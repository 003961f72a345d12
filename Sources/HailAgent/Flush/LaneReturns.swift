import Dispatch
import HailAggregate

/// Brings sums that were read back to their lane, and tells lanes of a new window width.
///
/// `@unchecked Sendable`: `lanes` is set once, before anything is received.
final class LaneReturns: @unchecked Sendable {
    var lanes: [Lane] = []

    func giveBack(_ sums: WindowSums, to number: Int) {
        guard lanes.indices.contains(number) else { return }
        let lane = lanes[number]
        lane.queue.async { lane.takeBack(sums) }
    }

    func announce(_ schedule: FlushSchedule) {
        for lane in lanes { lane.queue.async { lane.setSchedule(schedule) } }
    }
}
