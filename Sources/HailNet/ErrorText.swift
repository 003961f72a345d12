internal import Glibc

/// The system's words for an `errno`.
enum ErrorText {
    static func of(_ code: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { room in
            guard let base = room.baseAddress, strerror_r(code, base, room.count) == 0 else {
                return "error \(code)"
            }
            return String(cString: base)
        }
    }
}
