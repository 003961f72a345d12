import HailAggregate
import Testing

@Suite("Flush schedule")
struct FlushScheduleTests {
    @Test(
        "ends a window at the next multiple of its width, within one bucket",
        arguments: [
            (1_000, 10, 0, 1_000), (1_000, 10, 999, 1_000), (1_000, 10, 1_000, 2_000), (1_000, 10, 9_999, 10_000),
            (100, 10, 1_234, 1_300), (60_000, 10, 3_000, 10_000), (10_000, 10, 10_000, 20_000),
            (3_000, 10, 9_500, 10_000), (3_000, 10, 10_000, 12_000), (7_000, 1, 500, 1_000), (1_000, 10, -1, 0),
            (3_000, 10, -1, 0),
        ] as [(Int64, Int64, Int64, Int64)])
    func end(configured: Int64, finest: Int64, now: Int64, end: Int64) {
        let schedule = FlushSchedule(configuredMillis: configured, finestSeconds: finest)
        #expect(schedule.end(at: now) == end)
    }

    @Test(
        "stretches while the store is busy for more than a fifth of it, and shrinks below a tenth",
        arguments: [
            (1_000, 10, [0], 1_000), (1_000, 10, [200], 1_000), (1_000, 10, [201], 2_000),
            (1_000, 10, [201, 401, 801], 8_000), (1_000, 10, [9_999, 9_999, 9_999, 9_999, 9_999], 10_000),
            (1_000, 10, [201, 200], 2_000), (1_000, 10, [201, 199], 1_000),
            (1_000, 10, [300, 500, 900, 5_000, 0], 5_000),
            (1_000, 10, [300, 500, 900, 5_000, 0, 0, 0, 0, 0], 1_000), (300, 10, [100, 0], 300),
            (60_000, 10, [0, 0], 10_000), (60_000, 10, [90_000, 0], 10_000), (1_000, 1, [900, 900], 1_000),
        ] as [(Int64, Int64, [Int64], Int64)])
    func width(configured: Int64, finest: Int64, flushes: [Int64], width: Int64) {
        var schedule = FlushSchedule(configuredMillis: configured, finestSeconds: finest)
        for millis in flushes { schedule.flushed(storeMillis: millis) }
        #expect(schedule.widthMillis == width)
    }

    @Test("always moves on, and never past the bucket's end", arguments: 0..<4)
    func progress(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<500 {
            let finest = Int64(1 + random.below(60))
            var schedule = FlushSchedule(configuredMillis: Int64(100 + random.below(59_901)), finestSeconds: finest)
            for _ in 0..<10 {
                let now = Int64(random.below(1_000_000_000))
                let end = schedule.end(at: now)
                #expect(end > now)
                #expect(end <= (now / (finest * 1_000) + 1) * finest * 1_000)
                schedule.flushed(storeMillis: Int64(random.below(20_000)))
            }
        }
    }
}
