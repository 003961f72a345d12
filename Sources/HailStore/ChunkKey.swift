import HailCore

/// The key of a batch's entry, written by hand: the same as `BatchEntry.key`, without an array of its own.
struct ChunkKey {
    let prefix: [UInt8]
    let letter: UInt8
    let digest: Digest
    let width: UInt32
    let chunk: Int64
    let page: UInt8

    /// Where a digest was appended last: most keys come with the digest of the one before.
    struct Former {
        var digest: Digest
        /// The place of its text in the buffer.
        var offset: Int
    }

    /// Characters of a digest.
    private static let digestLength = 22
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    /// Appends it as an argument; takes at most 100 bytes.
    func append(to buffer: inout CommandBuffer, _ former: inout Former?) {
        let isChunk = letter != StoreKey.Letter.names
        var length = prefix.count + 2 + ChunkKey.digestLength
        if isChunk {
            length += 2 + CommandBuffer.digitCount(Int64(width)) + CommandBuffer.digitCount(chunk)
            if page > 0 { length += 1 + CommandBuffer.digitCount(Int64(page)) }
        }
        buffer.appendLine(UInt8(ascii: "$"), length)
        buffer.append(prefix)
        buffer.append(letter)
        buffer.append(UInt8(ascii: ":"))
        let offset = buffer.count
        if let former, former.digest == digest {
            buffer.appendAgain(former.offset..<(former.offset + ChunkKey.digestLength))
        } else {
            appendDigest(to: &buffer)
        }
        former = Former(digest: digest, offset: offset)
        if isChunk {
            buffer.append(UInt8(ascii: ":"))
            buffer.append(decimal: Int64(width))
            buffer.append(UInt8(ascii: ":"))
            buffer.append(decimal: chunk)
            if page > 0 {
                buffer.append(UInt8(ascii: ":"))
                buffer.append(decimal: Int64(page))
            }
        }
        buffer.append("\r\n")
    }

    private func appendDigest(to buffer: inout CommandBuffer) {
        func put(_ sextet: UInt64) { buffer.append(ChunkKey.alphabet.utf8Start[Int(sextet & 63)]) }
        for shift in stride(from: UInt64(58), through: 4, by: -6) { put(digest.high >> shift) }
        put(digest.high << 2 | digest.low >> 62)
        for shift in stride(from: UInt64(56), through: 2, by: -6) { put(digest.low >> shift) }
        put(digest.low << 4)
    }
}
