internal import Glibc

/// Tells the program that supervises this one how it is: the protocol of sd_notify(3).
package final class ServiceNotifier: Sendable {
    /// How often a sign of life is wanted; nil where none is.
    package let watchdogMicroseconds: UInt64?

    private let descriptor: Descriptor
    /// As it stands in `NOTIFY_SOCKET`: a path, or `@` and an abstract name.
    private let place: [UInt8]

    /// How long a supervisor that is behind may hold the caller up.
    private static let patienceSeconds = 1

    /// Takes what the environment says and clears it, so that children do not speak for this process.
    ///
    /// Called once, before there are other threads.
    ///
    /// - Returns: nil where nobody wants to be told.
    package static func take() -> ServiceNotifier? {
        let names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]
        let found = names.map { name in getenv(name).map { String(cString: $0) } }
        for name in names { unsetenv(name) }
        guard let place = found[0], !place.isEmpty else { return nil }
        let isForOthers = found[2].map { $0 != "\(getpid())" } ?? false
        let interval = isForOthers ? nil : found[1].flatMap { UInt64($0) }.flatMap { $0 > 0 ? $0 : nil }
        return ServiceNotifier(to: place, watchdogMicroseconds: interval)
    }

    package init?(to place: String, watchdogMicroseconds: UInt64?) {
        let bytes = Array(place.utf8)
        guard bytes.count > 1, bytes.count <= SocketAddress.pathBytes, bytes[0] == 0x2F || bytes[0] == 0x40 else {
            return nil
        }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return nil }
        var patience = timeval(tv_sec: ServiceNotifier.patienceSeconds, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        descriptor = Descriptor(owning: number)
        self.place = bytes
        self.watchdogMicroseconds = watchdogMicroseconds
    }

    /// Microseconds of the clock that `MONOTONIC_USEC=` is read by.
    package static var monotonicMicroseconds: UInt64 { Clock.nanoseconds / 1_000 }

    /// Sends assignments in one message; false where nobody took it.
    @discardableResult
    package func send(_ assignments: [String]) -> Bool {
        let message = Array(assignments.joined(separator: "\n").utf8)
        return SocketAddress.withRoom { base, room in
            let offset = MemoryLayout<sa_family_t>.size
            withUnsafeBytes(of: sa_family_t(AF_UNIX)) { room.copyMemory(from: $0) }
            // An abstract name begins with NUL, and all of its bytes count.
            let isAbstract = place[0] == 0x40
            for (index, byte) in place.enumerated() { room[offset + index] = index == 0 && isAbstract ? 0 : byte }
            let length = socklen_t(offset + place.count + (isAbstract ? 0 : 1))
            while true {
                let sent = sendto(
                    descriptor.number, message, message.count, Int32(MSG_NOSIGNAL), base, length)
                if sent >= 0 || errno != EINTR { return sent == message.count }
            }
        }
    }
}
