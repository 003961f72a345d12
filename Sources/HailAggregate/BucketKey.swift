import HailCore

/// The store key of something that has a key of its own for every bucket: a timer's sketch, a set's members.
struct BucketKey {
    let digest: Digest
    let widthSeconds: UInt32
    let bucket: Int64
    /// Unix seconds; 0 is never.
    let expirySeconds: UInt64

    init(resolution: Resolution, bucket: Int64, digest: Digest) {
        self.digest = digest
        self.bucket = bucket
        widthSeconds = resolution.storedWidth
        expirySeconds = UInt64(resolution.expirySeconds(ofBucket: bucket))
    }
}
