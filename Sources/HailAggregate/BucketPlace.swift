import HailCore

/// A bucket of one resolution, and where it lies: worked out once for all the counters of a span.
struct BucketPlace {
    let number: Int64
    /// The place of its resolution in the ladder.
    let level: Int
    let widthSeconds: UInt32
    let chunk: Int64
    let offset: Int
    let expirySeconds: UInt64

    init(_ number: Int64, level: Int, of ladder: Ladder) {
        let resolution = ladder.resolutions[level]
        self.number = number
        self.level = level
        widthSeconds = resolution.storedWidth
        chunk = resolution.chunk(ofBucket: number)
        offset = resolution.offset(ofBucket: number)
        expirySeconds = UInt64(resolution.expirySeconds(ofChunk: chunk))
    }
}
