/// Where identity bytes live: written once, never moved, freed all together.
///
/// Only the lane's queue writes; the flush queue may read what it was handed a pointer to, because handing over
/// a window orders the writes before the reads and nothing is written twice.
package final class IdentityArena: @unchecked Sendable {
    private var chunks: [UnsafeMutablePointer<UInt8>] = []
    private var used = IdentityArena.chunkBytes
    package private(set) var byteCount = 0

    private static let chunkBytes = 1 << 20

    package init() {}

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }

    /// Copies bytes in, padded so that eight bytes may be read from any place among them.
    func store(_ bytes: UnsafePointer<UInt8>, count: Int) -> UnsafePointer<UInt8> {
        let padded = count + 8
        if used + padded > IdentityArena.chunkBytes {
            chunks.append(.allocate(capacity: max(IdentityArena.chunkBytes, padded)))
            used = 0
        }
        let place = chunks[chunks.count - 1] + used
        place.update(from: bytes, count: count)
        (place + count).update(repeating: 0, count: 8)
        used += padded
        byteCount += padded
        return UnsafePointer(place)
    }
}
