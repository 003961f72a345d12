import Synchronization

/// Gathers the spy lines of all lanes; the last one to answer hands them over.
///
/// `@unchecked Sendable`: each lane writes its own place before it counts itself off, and they are read after the last.
final class SpyCollector: @unchecked Sendable {
    private let places: UnsafeMutableBufferPointer<[SpyLine]>
    private let missing: Atomic<Int>
    private let done: @Sendable ([SpyLine]) -> Void

    init(count: Int, done: @escaping @Sendable ([SpyLine]) -> Void) {
        places = .allocate(capacity: count)
        places.initialize(repeating: [])
        missing = Atomic(count)
        self.done = done
    }

    deinit {
        places.deinitialize()
        places.deallocate()
    }

    func add(_ lines: [SpyLine], of place: Int) {
        places[place] = lines
        if missing.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            done(places.flatMap { $0 })
        }
    }
}
