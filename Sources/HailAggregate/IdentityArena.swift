internal import CBytes
internal import HailCore

/// Where the series of a table live: each with its identity behind it, never moved, freed all together.
///
/// Only the lane's queue writes. The flush queue may read the identities it was handed pointers to, because handing over
/// a window orders the writes before the reads, and an identity is written once.
package final class IdentityArena: @unchecked Sendable {
    /// What a table knows of a series; its identity's bytes follow.
    struct Series {
        /// The lower half of the identity's hash; the upper one is in the table's slot.
        let lowHash: UInt32
        /// The number of the window it was last added to in; at most one less where values came with a time.
        var lastWindow: UInt32
        /// Where its sums begin among those of that window.
        var firstSum: UInt32
        /// The series' number in its table.
        let index: UInt32
        let identityLength: UInt32
        let slotCount: UInt16
        let kind: Kind
    }

    /// The place of the first series; 0 is no place.
    private static let firstPlace = 1
    private static let chunkBits = 21
    private static let chunkBytes = 1 << chunkBits
    /// Places are counted in eight bytes.
    private static let placeBits = chunkBits - 3

    private(set) var chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private var chunkCount = 0
    private var chunkCapacity = 4
    /// Bytes used in the last chunk.
    private var used = IdentityArena.chunkBytes
    package private(set) var byteCount = 0

    package init() { chunks = .allocate(capacity: chunkCapacity) }

    deinit {
        for chunk in 0..<chunkCount { chunks[chunk].deallocate() }
        chunks.deallocate()
    }

    /// The series of a place, given the arena's chunks.
    @inline(__always)
    static func series(
        _ place: UInt32, in chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
    ) -> UnsafeMutablePointer<Series> {
        let offset = Int(place & (1 << placeBits - 1)) << 3
        return (chunks[Int(place >> placeBits)] + offset).assumingMemoryBound(to: Series.self)
    }

    /// Where the identity of a series begins.
    @inline(__always)
    static func identity(of series: UnsafeMutablePointer<Series>) -> UnsafePointer<UInt8> {
        UnsafePointer(UnsafeRawPointer(series + 1).assumingMemoryBound(to: UInt8.self))
    }

    /// Takes a series in, and its identity.
    func store(_ series: Series, identity: UnsafePointer<UInt8>) -> UInt32 {
        let length = Int(series.identityLength)
        let bytes = (MemoryLayout<Series>.stride + length + 7) & ~7
        if used + bytes > IdentityArena.chunkBytes { addChunk(bytes) }
        let place = (chunkCount - 1) << IdentityArena.placeBits | used >> 3
        let stored = IdentityArena.series(UInt32(place), in: chunks)
        stored.initialize(to: series)
        UnsafeMutablePointer(mutating: IdentityArena.identity(of: stored)).update(from: identity, count: length)
        used += bytes
        byteCount += bytes
        return UInt32(place)
    }

    private func addChunk(_ bytes: Int) {
        if chunkCount == chunkCapacity {
            let larger = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: chunkCapacity * 2)
            larger.moveInitialize(from: chunks, count: chunkCount)
            chunks.deallocate()
            chunks = larger
            chunkCapacity *= 2
        }
        let size = max(IdentityArena.chunkBytes, bytes + 8)
        let isFirst = chunkCount == 0
        let chunk = UnsafeMutableRawPointer.allocate(
            byteCount: size, alignment: isFirst ? 8 : IdentityArena.chunkBytes)
        // A small table should not take a huge page for a few series.
        if !isFirst { bytes_advise_huge(chunk, size) }
        chunks[chunkCount] = chunk
        chunkCount += 1
        used = IdentityArena.firstPlace << 3
    }
}
