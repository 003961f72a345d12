import CIngest

/// Where the C library takes memory from.
package enum MemoryArena {
    /// Has all threads share one arena; to be called before there are threads.
    ///
    /// A queue's blocks run on any thread. With an arena for each, every one of them keeps room for the largest flush.
    package static func shareOne() { _ = ingest_one_arena() }
}
