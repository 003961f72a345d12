internal import Glibc

/// A mutex and a condition to wait for.
///
/// `@unchecked Sendable`: both live at a fixed place from `init` to `deinit`, and the system's calls guard themselves.
/// (`Synchronization.Mutex` gives false reports under ThreadSanitizer.)
final class Lock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` while nobody else holds the lock.
    func holding<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Wakes who waits.
    ///
    /// While holding the lock.
    func announce() { pthread_cond_broadcast(condition) }

    /// Waits until `isTrue` or the deadline (`Clock.nanoseconds`) passes; the last answer of `isTrue`, which runs
    /// while the lock is held.
    func wait(until deadline: UInt64, for isTrue: () -> Bool) -> Bool {
        holding {
            var time = timespec()
            time.tv_sec = Int(deadline / 1_000_000_000)
            time.tv_nsec = Int(deadline % 1_000_000_000)
            while !isTrue() {
                if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { return isTrue() }
            }
            return true
        }
    }
}
