import Glibc

/// The agent's folder on disk: made for its owner alone, and locked while the agent lives.
package final class DataFolder: Sendable {
    package let path: String
    private let lock: Descriptor

    package var spoolPath: String { path + "/spool" }
    package var storePath: String { path + "/store" }

    /// Makes the folder and its subfolders where they are missing, mode 0700, and locks it.
    ///
    /// - Throws: `folderInUse` if another agent holds the lock; `folder` if it cannot be made or opened.
    package init(opening path: String) throws(StoreError) {
        let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard !trimmed.isEmpty, !trimmed.utf8.contains(0) else { throw .folder(path: path, reason: "no such name") }
        try DataFolder.make(trimmed)
        // The lock file also says who holds it. The lock itself goes with the process, however that ends.
        guard let lock = Descriptor(opening: trimmed + "/lock", flags: O_RDWR | O_CREAT, mode: 0o600) else {
            throw .folder(path: trimmed, reason: "its lock file: " + systemErrorText())
        }
        guard lock.lockExclusively() else {
            throw .folderInUse(path: trimmed, holder: DataFolder.holder(lock))
        }
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(lock.number, 0)
        _ = pwrite(lock.number, text, text.count, 0)
        self.path = trimmed
        self.lock = lock
        try DataFolder.make(spoolPath)
        try DataFolder.make(storePath)
    }

    /// Makes one folder with every missing parent.
    ///
    /// One that is there already keeps its mode.
    private static func make(_ path: String) throws(StoreError) {
        if mkdir(path, 0o700) == 0 { return }
        switch errno {
        case EEXIST:
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw .folder(path: path, reason: "it is not a folder")
            }
            guard access(path, R_OK | W_OK | X_OK) == 0 else { throw .folder(path: path, reason: systemErrorText()) }
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
                throw .folder(path: path, reason: systemErrorText(ENOENT))
            }
            try make(String(path[..<slash]))
            guard mkdir(path, 0o700) == 0 else { throw .folder(path: path, reason: systemErrorText()) }
        default:
            throw .folder(path: path, reason: systemErrorText())
        }
    }

    private static func holder(_ lock: borrowing Descriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(lock.number, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(count, 0)).prefix { $0 >= 0x30 && $0 <= 0x39 }
        return digits.isEmpty ? "another agent" : "process " + String(decoding: digits, as: UTF8.self)
    }
}
