import Dispatch
import HailAggregate
import HailCore
import HailSeal
import HailWire

/// A lane by itself, without socket, flush queue or store: what the bench measures of the line path.
package final class LaneRig {
    private let lane: Lane
    private let ledger = Ledger()

    /// Datagrams that one receive brings, at most.
    private static let batchCount = 64

    /// - Throws: never for the resolutions it has; their text is parsed.
    package init(seriesLimit: Int) throws {
        let ladder = try Ladder(parsing: "1h:31d")
        lane = Lane(
            number: 0, transport: .udp, seriesLimit: seriesLimit,
            schedule: FlushSchedule(configuredMillis: 60_000, finestSeconds: ladder.finest.widthSeconds), plain: .any,
            shared: Lane.Shared(
                scanner: LineScanner(seed: .random(in: .min ... .max)), digester: NameDigest.blake2b, ladder: ladder,
                numbers: WindowNumbers(startMillis: 1), spyNumbers: WindowNumbers(startMillis: 1), ledger: ledger,
                handOver: { _ in }))
    }

    /// Takes in datagrams, batch by batch as the receiver hands them over: datagram i is the bytes from `offsets[i]` to
    /// `offsets[i + 1]`.
    package func take(_ bytes: UnsafePointer<UInt8>, offsets: UnsafePointer<UInt64>, count: Int) {
        lane.queue.sync {
            var next = 0
            while next < count {
                lane.tick(nowMillis: WallClock.millis)
                for place in next..<min(next + LaneRig.batchCount, count) {
                    let start = Int(offsets[place])
                    lane.take(
                        datagram: UnsafeBufferPointer(start: bytes + start, count: Int(offsets[place + 1]) - start),
                        isTrusted: true)
                }
                lane.publish()
                next += LaneRig.batchCount
            }
        }
    }

    package var linesAccepted: UInt64 { ledger.snapshot.counts.linesAccepted }

    package var seriesCount: Int { lane.queue.sync { lane.seriesCount } }
}
