import HailCore

/// When windows close.
///
/// Pure: it is told the time and what the store took.
///
/// A window lies within one bucket of the finest resolution. It stretches, up to that bucket's width, while its flush
/// takes more than a fifth of the window, and shrinks again when it takes less than a tenth.
package struct FlushSchedule: Equatable, Sendable {
    package let configuredMillis: Int64
    package let finestMillis: Int64
    /// The width windows have now.
    package private(set) var widthMillis: Int64

    package init(configuredMillis: Int64, finestSeconds: Int64) {
        self.configuredMillis = configuredMillis
        finestMillis = finestSeconds * 1_000
        widthMillis = min(configuredMillis, finestMillis)
    }

    /// The end of the window that is open at `nowMillis`: the next multiple of the width, and never past the end
    /// of the finest bucket.
    package func end(at nowMillis: Int64) -> Int64 {
        let end = (nowMillis.floorDivided(by: widthMillis) + 1) * widthMillis
        let bucketEnd = (nowMillis.floorDivided(by: finestMillis) + 1) * finestMillis
        return min(end, bucketEnd)
    }

    /// Takes note of how long the store was busy with a flush.
    package mutating func flushed(storeMillis: Int64) {
        if storeMillis * 5 > widthMillis {
            widthMillis = min(widthMillis * 2, finestMillis)
        } else if storeMillis * 10 < widthMillis, widthMillis > configuredMillis {
            widthMillis = max(widthMillis / 2, min(configuredMillis, finestMillis))
        }
    }
}
