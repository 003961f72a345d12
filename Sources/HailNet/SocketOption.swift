internal import Glibc

/// Whole-number options of sockets.
enum SocketOption {
    /// Sets an option; false where the system refuses.
    @discardableResult
    static func set(_ option: Int32, to value: Int32, level: Int32 = SOL_SOCKET, on descriptor: borrowing Descriptor)
        -> Bool
    {
        var value = value
        let count = socklen_t(MemoryLayout<Int32>.size)
        return setsockopt(descriptor.number, level, option, &value, count) == 0
    }

    /// An option's value, or nil where the system refuses.
    static func value(of option: Int32, on descriptor: borrowing Descriptor) -> Int32? {
        var value: Int32 = 0
        var count = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor.number, SOL_SOCKET, option, &value, &count) == 0 else { return nil }
        return value
    }
}
