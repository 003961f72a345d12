import CBench
import HailAgent

/// Lines through a lane inside this process: what each costs besides the kernel.
struct LaneRun {
    let load: Load
    /// Turns of the load that are measured, after those in which its series were met.
    let turns: Int

    /// - Returns: the figures as JSON.
    func measure() throws -> String {
        let rig = try LaneRig(seriesLimit: load.series)
        // Twice: the second turn also grows what a first turn leaves to grow.
        for _ in 0..<2 { turn(rig) }
        let before = rig.linesAccepted
        let (allocations, instructions) = (bench_allocations(), bench_instructions())
        let nanoseconds = bench_cpu_nanoseconds()
        let context = Context(run: self, rig: rig)
        bench_measured(
            { raw in
                guard let raw else { return }
                let context = Unmanaged<Context>.fromOpaque(raw).takeUnretainedValue()
                for _ in 0..<context.run.turns { context.run.turn(context.rig) }
            }, Unmanaged.passUnretained(context).toOpaque())
        let cpu = bench_cpu_nanoseconds() - nanoseconds
        let executed = bench_instructions()
        let allocated = bench_allocations() - allocations
        let lines = Int(rig.linesAccepted - before)
        precondition(lines == load.lineCount * turns, "every line of the load is accepted")
        precondition(rig.seriesCount == load.series, "every series of the load is known")
        return """
            {"series": \(load.series), "lines_per_datagram": \(load.linesPerDatagram), "lines": \(lines), \
            "cpu_ns_a_line": \(Double(cpu) / Double(lines)), \
            "allocations_a_line": \(Double(allocated) / Double(lines)), \
            "instructions_a_line": \(executed < 0 ? "null" : "\(Double(executed - instructions) / Double(lines))")}
            """
    }

    private func turn(_ rig: LaneRig) {
        load.bytes.withUnsafeBufferPointer { bytes in
            load.offsets.withUnsafeBufferPointer { offsets in
                guard let base = bytes.baseAddress, let first = offsets.baseAddress else { return }
                rig.take(base, offsets: first, count: load.datagramCount)
            }
        }
    }

    private final class Context {
        let run: LaneRun
        let rig: LaneRig

        init(run: LaneRun, rig: LaneRig) {
            self.run = run
            self.rig = rig
        }
    }
}
