/// A width of bucket and how long such buckets are kept.
///
/// Time is cut into *chunks* of 360 buckets; a chunk is what expires as a whole.
package struct Resolution: Hashable, Sendable {
    /// Seconds of one bucket; 0 for the all-time total, whose one bucket never ends.
    package let widthSeconds: Int64
    /// Seconds a bucket is kept at least after it ended; 0 for the all-time total: for ever.
    package let keptSeconds: Int64

    package static let bucketsPerChunk: Int64 = 360
    package static let allTime = Resolution(widthSeconds: 0, keptSeconds: 0)

    package init(widthSeconds: Int64, keptSeconds: Int64) {
        self.widthSeconds = widthSeconds
        self.keptSeconds = keptSeconds
    }

    package var isAllTime: Bool { widthSeconds == 0 }

    /// The number of the bucket that holds an instant (whole seconds since the Unix epoch).
    package func bucket(at seconds: Int64) -> Int64 {
        isAllTime ? 0 : seconds.floorDivided(by: widthSeconds)
    }

    /// The chunk a bucket lies in.
    package func chunk(ofBucket bucket: Int64) -> Int64 {
        bucket.floorDivided(by: Resolution.bucketsPerChunk)
    }

    /// The place of a bucket in its chunk, 0..<360.
    package func offset(ofBucket bucket: Int64) -> Int {
        Int(bucket - chunk(ofBucket: bucket) * Resolution.bucketsPerChunk)
    }

    /// The first second of a bucket.
    package func startSeconds(ofBucket bucket: Int64) -> Int64 { bucket * widthSeconds }

    /// When the store may forget a chunk (Unix seconds): when its last bucket has been kept long enough; 0 is never.
    package func expirySeconds(ofChunk chunk: Int64) -> Int64 {
        isAllTime ? 0 : (chunk + 1) * Resolution.bucketsPerChunk * widthSeconds + keptSeconds
    }

    /// Whether an event at `seconds` still counts in this resolution when the clock shows `now`.
    package func keeps(_ seconds: Int64, now: Int64) -> Bool {
        isAllTime || startSeconds(ofBucket: bucket(at: seconds)) + widthSeconds + keptSeconds > now
    }
}

extension Int64 {
    /// Division that rounds toward negative infinity; the divisor is positive.
    package func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
