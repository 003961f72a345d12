import Glibc

/// A value that a reload replaces while others read it.
///
/// `@unchecked Sendable`: it is read and written under a lock that lives from `init` to `deinit`.
final class Current<Value: Sendable>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var held: Value

    init(_ value: Value) {
        held = value
        pthread_mutex_init(lock, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    var value: Value {
        get {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            return held
        }
        set {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            held = newValue
        }
    }
}
