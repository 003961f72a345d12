import Glibc

/// The system's clocks.
enum WallClock {
    /// Milliseconds since the Unix epoch.
    static var millis: Int64 { read(CLOCK_REALTIME) }

    /// Whole seconds since the Unix epoch.
    static var seconds: Int64 { millis / 1_000 }

    /// Milliseconds of a clock that is never set.
    static var steadyMillis: Int64 { read(CLOCK_MONOTONIC) }

    /// Whole seconds since the Unix epoch as the clock had it at the start, counted on by one that is never set.
    ///
    /// For ages: how long ago the store acknowledged something must not change because somebody set the clock.
    static var steadySeconds: Int64 { (origin + read(CLOCK_BOOTTIME)) / 1_000 }

    private static let origin = millis - read(CLOCK_BOOTTIME)

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
