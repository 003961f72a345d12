import Glibc

/// Blocking reads and writes on the process's standard descriptors.
enum BlockingIO {
    /// Writes everything; false when the descriptor takes no more.
    @discardableResult
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                guard errno == EINTR else { return false }
            } else {
                rest = rest.dropFirst(written)
            }
        }
        return true
    }

    /// The next bytes, at most 64 KiB; empty at the end, nil on an error.
    static func read(from descriptor: Int32) -> [UInt8]? {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, filled in
                count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                filled = max(0, count)
            }
            if count >= 0 { return bytes }
            guard errno == EINTR else { return nil }
        }
    }

    /// A whole file, at most `limitBytes` of it.
    ///
    /// - Throws: `SystemError` with the system's own words.
    static func readFile(_ path: String, limitBytes: Int) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError.last }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            guard let piece = read(from: descriptor) else { throw SystemError.last }
            if piece.isEmpty { return bytes }
            bytes += piece
            guard bytes.count <= limitBytes else { throw SystemError(reason: "it is larger than \(limitBytes) bytes") }
        }
    }
}
