/// A width of bucket and how long such buckets are kept.
///
/// Time is cut into *chunks* of 360 buckets; a chunk is what expires as a whole. Buckets are spans of UTC, or days of a
/// zone.
package struct Resolution: Sendable {
    /// Seconds of one bucket; 0 for the all-time total, whose one bucket never ends.
    ///
    /// Of a zone's days it is what a day has where no clock changes.
    package let widthSeconds: Int64
    /// Seconds a bucket is kept at least after it ended; 0 for the all-time total: for ever.
    package let keptSeconds: Int64
    /// Whose days its buckets are; nil for UTC.
    package let zone: ZoneRules?
    /// What stands for the width in store keys.
    package let storedWidth: UInt32

    package static let bucketsPerChunk: Int64 = 360
    package static let allTime = Resolution(widthSeconds: 0, keptSeconds: 0)
    private static let daySeconds: Int64 = 86_400

    /// - Parameter widthSeconds: below 2^31.
    package init(widthSeconds: Int64, keptSeconds: Int64) {
        self.widthSeconds = widthSeconds
        self.keptSeconds = keptSeconds
        zone = nil
        storedWidth = UInt32(widthSeconds)
    }

    /// The days of a zone, kept as long as those of UTC; nil where it is not made of days.
    package func days(in zone: ZoneRules, digester: Digester) -> Resolution? {
        guard !isAllTime, widthSeconds % Resolution.daySeconds == 0 else { return nil }
        return Resolution(self, in: zone, digester: digester)
    }

    private init(_ days: Resolution, in zone: ZoneRules, digester: Digester) {
        widthSeconds = days.widthSeconds
        keptSeconds = days.keptSeconds
        self.zone = zone
        let digest = digester(Array("z\(zone.name)".utf8) + [0] + Array("\(widthSeconds)".utf8))
        storedWidth = 1 << 31 | UInt32(truncatingIfNeeded: digest.high >> 40)
    }

    package var isAllTime: Bool { widthSeconds == 0 }

    private var dayCount: Int64 { widthSeconds / Resolution.daySeconds }

    /// The number of the bucket that holds an instant (whole seconds since the Unix epoch).
    package func bucket(at seconds: Int64) -> Int64 {
        if let zone { return zone.dayNumber(at: seconds).floorDivided(by: dayCount) }
        return isAllTime ? 0 : seconds.floorDivided(by: widthSeconds)
    }

    /// The bucket that holds a whole span; nil where it reaches over the edge of one.
    ///
    /// - Parameter lengthSeconds: that of a resolution in UTC, whose buckets divide or are divided by this one's.
    package func bucket(holding startSeconds: Int64, lengthSeconds: Int64) -> Int64? {
        guard zone != nil else {
            return isAllTime || widthSeconds >= lengthSeconds ? bucket(at: startSeconds) : nil
        }
        let first = bucket(at: startSeconds)
        return bucket(at: startSeconds + lengthSeconds - 1) == first ? first : nil
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
    package func startSeconds(ofBucket bucket: Int64) -> Int64 {
        zone?.startSeconds(ofDay: bucket * dayCount) ?? bucket * widthSeconds
    }

    /// Whether a bucket begins at an instant.
    package func begins(at seconds: Int64) -> Bool {
        startSeconds(ofBucket: bucket(at: seconds)) == seconds
    }

    /// Seconds by which a bucket may end later than the one of UTC with the same number.
    private var latenessSeconds: Int64 { zone == nil ? 0 : Resolution.daySeconds }

    /// When the store may forget a bucket (Unix seconds); 0 is never.
    package func expirySeconds(ofBucket bucket: Int64) -> Int64 {
        isAllTime ? 0 : (bucket + 1) * widthSeconds + latenessSeconds + keptSeconds
    }

    /// When the store may forget a chunk: when its last bucket has been kept long enough.
    package func expirySeconds(ofChunk chunk: Int64) -> Int64 {
        expirySeconds(ofBucket: (chunk + 1) * Resolution.bucketsPerChunk - 1)
    }

    /// Whether an event at `seconds` still counts in this resolution when the clock shows `now`.
    package func keeps(_ seconds: Int64, now: Int64) -> Bool {
        isAllTime || expirySeconds(ofBucket: bucket(at: seconds)) > now
    }
}

extension Resolution: Hashable {
    // A zone is told by its width in keys.
    package static func == (left: Resolution, right: Resolution) -> Bool {
        left.storedWidth == right.storedWidth && left.keptSeconds == right.keptSeconds
            && left.widthSeconds == right.widthSeconds
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(storedWidth)
        hasher.combine(keptSeconds)
    }
}

extension Int64 {
    /// Division that rounds toward negative infinity; the divisor is positive.
    package func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
