import Glibc

/// Where in the spool the bytes of a batch lie.
package struct SpoolLocation: Hashable, Sendable {
    package let segment: UInt32
    package let offsetBytes: Int
    package let byteCount: Int
    /// CRC-32C of the bytes, so that reading back never yields other ones.
    package let checksum: UInt32

    /// The name of a segment's file: eight digits.
    package static func fileName(segment: UInt32) -> String {
        let digits = String(segment)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".log"
    }

    /// The segment that a file of this name holds; nil for any other name.
    package static func segment(fileName: String) -> UInt32? {
        guard fileName.hasSuffix(".log"), let number = UInt32(fileName.dropLast(4)) else { return nil }
        return self.fileName(segment: number) == fileName ? number : nil
    }
}

/// Reads batches back from a spool's folder; may be used beside the `Spool` that writes it, from any queue.
package struct SpoolReader: Sendable {
    private let folder: String

    package init(folder: String) { self.folder = folder }

    /// The bytes at a location, or nil if they are no longer there.
    package func read(_ location: SpoolLocation) -> [UInt8]? {
        let path = folder + "/" + SpoolLocation.fileName(segment: location.segment)
        guard location.byteCount >= 0, let file = Descriptor(opening: path, flags: O_RDONLY) else { return nil }
        var bytes = [UInt8](repeating: 0, count: location.byteCount)
        var done = 0
        while done < bytes.count {
            let got = bytes.withUnsafeMutableBytes { raw in
                pread(
                    file.number, raw.baseAddress?.advanced(by: done), raw.count - done,
                    off_t(location.offsetBytes + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { return nil }
            done += got
        }
        return Checksum.crc32c(bytes) == location.checksum ? bytes : nil
    }
}
