import Synchronization

/// Numbers for windows, unique across lanes and across restarts on one data folder: milliseconds of the start
/// times 2²⁰, counted up from there.
final class WindowNumbers: Sendable {
    private let next: Atomic<UInt64>

    init(startMillis: Int64) { next = Atomic(UInt64(clamping: startMillis) << 20) }

    func take() -> UInt64 { next.wrappingAdd(1, ordering: .relaxed).oldValue }
}
