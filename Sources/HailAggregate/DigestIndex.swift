import HailCore

/// Finds the number of a digest among those that stand elsewhere by number: six to twelve bytes each, where a
/// dictionary takes forty.
///
/// Open addressing; digests are random already. Numbers are never taken out one by one.
struct DigestIndex {
    /// Number + 1; 0 is free.
    private var slots: [UInt32] = [UInt32](repeating: 0, count: 64)
    private var count = 0

    /// The number of a digest, or nil.
    ///
    /// - Parameter digestOf: the digest of a number that was put in.
    func number(of digest: Digest, digestOf: (UInt32) -> Digest) -> UInt32? {
        var slot = Int(truncatingIfNeeded: digest.low) & (slots.count - 1)
        while slots[slot] != 0 {
            if digestOf(slots[slot] - 1) == digest { return slots[slot] - 1 }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Puts in a number whose digest is not there.
    mutating func insert(_ number: UInt32, digestOf: (UInt32) -> Digest) {
        if (count + 1) * 3 > slots.count * 2 {
            let old = slots
            slots = [UInt32](repeating: 0, count: old.count * 2)
            for entry in old where entry != 0 { place(entry - 1, digestOf(entry - 1)) }
        }
        place(number, digestOf(number))
        count += 1
    }

    private mutating func place(_ number: UInt32, _ digest: Digest) {
        var slot = Int(truncatingIfNeeded: digest.low) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = number + 1
    }
}
