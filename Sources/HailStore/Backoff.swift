/// How long to wait before trying again: twice as long each time, and never as long as the others do.
struct Backoff {
    static let firstMilliseconds = 50
    static let longestMilliseconds = 2_000

    private var attempts = 0

    /// The next wait, between half of 50 ms · 2ⁿ (at most 2 s) and the whole of it.
    ///
    /// - Parameter random: any number; its low bits are the jitter.
    mutating func nextMilliseconds(random: UInt64) -> Int {
        let whole = min(Backoff.longestMilliseconds, Backoff.firstMilliseconds << min(attempts, 10))
        attempts += 1
        return whole / 2 + Int(random % UInt64(whole / 2 + 1))
    }

    mutating func reset() { attempts = 0 }
}
