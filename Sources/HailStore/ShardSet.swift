package import HailCore

/// A set of shards: 256 bits.
package struct ShardSet: Hashable, Sendable {
    /// Shards 0…127, shard n being bit n.
    private var low: UInt128 = 0
    /// Shards 128…255.
    private var high: UInt128 = 0

    package init() {}

    package init(_ shards: some Sequence<Shard>) {
        for shard in shards { insert(shard) }
    }

    /// Reads 32 bytes: shard n is bit n % 8, counted from the lowest, of byte n / 8.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        for index in 0..<16 {
            low |= UInt128(bytes[index]) << UInt128(8 * index)
            high |= UInt128(bytes[16 + index]) << UInt128(8 * index)
        }
    }

    package var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: low >> UInt128(8 * $0)) }
            + (0..<16).map { UInt8(truncatingIfNeeded: high >> UInt128(8 * $0)) }
    }

    package var isEmpty: Bool { low == 0 && high == 0 }

    package var count: Int { low.nonzeroBitCount + high.nonzeroBitCount }

    package func contains(_ shard: Shard) -> Bool {
        let bit = UInt128(1) << UInt128(shard.number & 127)
        return (shard.number < 128 ? low : high) & bit != 0
    }

    package mutating func insert(_ shard: Shard) {
        let bit = UInt128(1) << UInt128(shard.number & 127)
        if shard.number < 128 { low |= bit } else { high |= bit }
    }

    package mutating func remove(_ shard: Shard) {
        let bit = UInt128(1) << UInt128(shard.number & 127)
        if shard.number < 128 { low &= ~bit } else { high &= ~bit }
    }

    package mutating func formUnion(_ other: ShardSet) {
        low |= other.low
        high |= other.high
    }

    /// The shards, by number.
    package var shards: [Shard] { (0...255).map { Shard($0) }.filter(contains) }
}
