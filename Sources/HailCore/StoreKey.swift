/// A key of the store's layout, version 1.
///
/// `protocol/redis.md` describes them all.
package enum StoreKey {
    /// What starts every key but `hw:meta`: the layout's version is part of it.
    private static let prefix = Array("hw1:{".utf8)

    /// What belongs to the whole store: layout, resolutions, caps.
    package static let meta = Array("hw:meta".utf8)

    /// Letters of the keys that hold cells and names.
    package enum Letter {
        /// A page: names and sparse cells of one subject in one chunk.
        package static let page = UInt8(ascii: "p")
        /// A strip: the dense cells of one counter at one group in one chunk.
        package static let counterStrip = UInt8(ascii: "c")
        /// A strip of a gauge: every gauge cell lies in one.
        package static let gaugeStrip = UInt8(ascii: "g")
        /// The strips of a timer: one key a component, the key's page number.
        package static let timerStrip = UInt8(ascii: "t")
        /// The sketch of one timer cell; the key's chunk is the number of its bucket.
        package static let sketch = UInt8(ascii: "k")
        /// The distinct members of one set cell while they are few; the key's chunk is the number of its bucket.
        package static let members = UInt8(ascii: "s")
        /// A quarter of a set cell that has many members, as a HyperLogLog; the key's page is 1…4.
        package static let distinct = UInt8(ascii: "h")
        /// How many dimensions a subject has in one chunk, and how many values each, once there are many.
        package static let counts = UInt8(ascii: "v")
        /// The child subjects of a subject, a sorted set by name.
        package static let names = UInt8(ascii: "n")
    }

    /// `hw1:{tag}:LETTER:DIGEST:WIDTH:CHUNK`, and `:PAGE` where the page is not the first.
    package static func chunk(
        letter: UInt8, shard: Shard, digest: Digest, widthSeconds: Int64, chunk: Int64, page: UInt8 = 0
    ) -> [UInt8] {
        var key = named(letter: letter, shard: shard, digest: digest)
        key.append(UInt8(ascii: ":"))
        appendDecimal(widthSeconds, to: &key)
        key.append(UInt8(ascii: ":"))
        appendDecimal(chunk, to: &key)
        if page > 0 {
            key.append(UInt8(ascii: ":"))
            appendDecimal(Int64(page), to: &key)
        }
        return key
    }

    /// `hw1:{tag}:LETTER:DIGEST`: a key that is not cut into chunks.
    package static func named(letter: UInt8, shard: Shard, digest: Digest) -> [UInt8] {
        var key = start(shard, letter)
        key.reserveCapacity(64)
        key.append(UInt8(ascii: ":"))
        digest.appendText(to: &key)
        return key
    }

    /// The guard of an agent in a shard: the number of the last batch applied.
    package static func guardKey(shard: Shard, agent: Digest) -> [UInt8] {
        named(letter: UInt8(ascii: "a"), shard: shard, digest: agent)
    }

    /// A once-id that was seen.
    package static func once(shard: Shard, id: Digest) -> [UInt8] {
        named(letter: UInt8(ascii: "o"), shard: shard, digest: id)
    }

    /// The list of cells that could not be applied.
    package static func deadLetters(shard: Shard) -> [UInt8] { start(shard, UInt8(ascii: "x")) }

    private static func start(_ shard: Shard, _ letter: UInt8) -> [UInt8] { prefix(of: shard) + [letter] }

    /// What starts every key of a shard: `hw1:{tag}:`.
    package static func prefix(of shard: Shard) -> [UInt8] {
        prefix + shard.tag + [UInt8(ascii: "}"), UInt8(ascii: ":")]
    }

    /// Appends a whole number as decimal text.
    package static func appendDecimal(_ number: Int64, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var magnitude = number.magnitude
            var place = digits.count
            repeat {
                place -= 1
                digits.initializeElement(at: place, to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10))
                magnitude /= 10
            } while magnitude > 0
            if number < 0 { bytes.append(UInt8(ascii: "-")) }
            bytes.append(contentsOf: digits[place...])
        }
    }
}
