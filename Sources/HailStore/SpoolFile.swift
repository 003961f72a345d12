import Glibc

/// A segment's file while it is written, and the folder operations around it.
final class SpoolFile {
    let number: UInt32
    let createdSeconds: Int64
    private(set) var byteCount: Int
    private let path: String
    private let file: Descriptor

    /// Makes a new segment and makes sure that its name is on disk.
    init(creating number: UInt32, in folder: String, createdSeconds: Int64) throws(StoreError) {
        let path = folder + "/" + SpoolLocation.fileName(segment: number)
        guard let file = Descriptor(opening: path, flags: O_RDWR | O_CREAT | O_EXCL | O_APPEND, mode: 0o600) else {
            throw .spoolWrite(path: path, reason: systemErrorText())
        }
        self.number = number
        self.createdSeconds = createdSeconds
        self.path = path
        self.file = file
        byteCount = 0
        do throws(StoreError) {
            try append(SpoolSegment.header(createdSeconds: createdSeconds), syncing: true)
        } catch {
            unlink(path)
            throw error
        }
        if let directory = Descriptor(opening: folder, flags: O_RDONLY | O_DIRECTORY) { fsync(directory.number) }
    }

    /// Appends bytes; if that or the sync fails, cuts the file back to where it was.
    func append(_ bytes: [UInt8], syncing: Bool) throws(StoreError) {
        var done = 0
        while done < bytes.count {
            let wrote = bytes.withUnsafeBytes { raw in
                Glibc.write(file.number, raw.baseAddress?.advanced(by: done), raw.count - done)
            }
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else { throw cutBack(because: wrote == 0 ? ENOSPC : errno) }
            done += wrote
        }
        if syncing, fdatasync(file.number) != 0 { throw cutBack(because: errno) }
        byteCount += bytes.count
    }

    private func cutBack(because code: Int32) -> StoreError {
        _ = ftruncate(file.number, off_t(byteCount))
        return .spoolWrite(path: path, reason: systemErrorText(code))
    }

    /// The segments in a folder, by number, and the highest number of any file there, set aside or not.
    static func list(_ folder: String) throws(StoreError) -> (numbers: [UInt32], highestNumber: UInt32) {
        guard let directory = opendir(folder) else { throw .folder(path: folder, reason: systemErrorText()) }
        defer { closedir(directory) }
        var numbers: [UInt32] = []
        var highest: UInt32 = 0
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = SpoolLocation.segment(fileName: name) {
                numbers.append(number)
            } else if let end = name.firstRange(of: ".log."),
                let number = SpoolLocation.segment(fileName: name[..<end.lowerBound] + ".log")
            {
                highest = max(highest, number)
            }
        }
        return (numbers.sorted(), highest)
    }

    static func contents(_ path: String) throws(StoreError) -> [UInt8] {
        var status = stat()
        guard let file = Descriptor(opening: path, flags: O_RDONLY), fstat(file.number, &status) == 0 else {
            throw .folder(path: path, reason: systemErrorText())
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let got = bytes.withUnsafeMutableBytes { raw in
                Glibc.read(file.number, raw.baseAddress?.advanced(by: done), raw.count - done)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .folder(path: path, reason: systemErrorText()) }
            if got == 0 { break }
            done += got
        }
        return Array(bytes.prefix(done))
    }

    /// Renames a segment out of the way and returns the name it has then.
    static func rename(_ name: String, in folder: String, addingSuffix suffix: String) throws(StoreError) -> String {
        guard Glibc.rename(folder + "/" + name, folder + "/" + name + suffix) == 0 else {
            throw .folder(path: folder + "/" + name, reason: systemErrorText())
        }
        return name + suffix
    }
}
