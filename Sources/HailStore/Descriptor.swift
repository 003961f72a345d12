import Glibc

/// A file descriptor that is closed when its owner goes.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Opens a file, close-on-exec; nil with `errno` set.
    init?(opening path: String, flags: Int32, mode: mode_t = 0) {
        let opened = open(path, flags | O_CLOEXEC, mode)
        guard opened >= 0 else { return nil }
        number = opened
    }

    deinit { _ = close(number) }

    /// Takes the advisory lock of the file if nobody holds it.
    func lockExclusively() -> Bool {
        while flock(number, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }
}

/// The text of an `errno` value.
func systemErrorText(_ code: Int32 = errno) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
}
