/// What one store key of a batch is to receive.
package struct BatchEntry: Equatable, Sendable {
    /// What happens to each item's field.
    ///
    /// Where an operation takes a decimal besides the item's number, the item's field is `FIELD DECIMAL`, cut at its
    /// **last** space: a decimal holds none, a field of a page may. A decimal is what `-12.5e-3` shows, and finite.
    package enum Operation: UInt8, Sendable, CaseIterable {
        /// `HINCRBY` every field by its value.
        case add = 0x2B  // +
        /// `HINCRBYFLOAT` every field by the decimal behind it; the value says nothing.
        case addFloat = 0x66  // f
        /// Keep the smaller of what the field holds and the value, both whole numbers of 64 bits.
        case least = 0x3C  // <
        /// Keep the larger.
        case greatest = 0x3E  // >
        /// A gauge's cell, `DECIMAL MILLISECONDS` in the field: the decimal behind the field and the value take its
        /// place unless they are older; of two at the same time the greater decimal stays.
        case last = 0x3D  // =
        /// A gauge's all-time cell, one to an entry, which never expires: the decimal is added to its own, and of the
        /// two times the later stays. The entries with `moved` that follow in the group, up to the next `move`, take
        /// the result.
        case move = 0x7E  // ~
        /// A gauge's cell, as `last`, with the result of the `move` before it as its decimal: the field has none
        /// behind it. A cell that held the same as the all-time cell did goes on holding the same.
        case moved = 0x6D  // m
        /// Every field is a member (eight bytes) of a set cell; the value says nothing. Up to `SetCell.exactMembers`
        /// are kept in the key; beyond, the four keys of letter `distinct` take their quarters.
        case distinct = 0x73  // s
        /// `HSETNX` every field: names in a page.
        case name = 0x6E  // n
        /// `ZADD` every field with score 0: child subjects.
        case child = 0x7A  // z

        /// Whether it needs nothing but a command of the store's own, so that a transaction can do it.
        package var isPlain: Bool {
            switch self {
            case .add, .name, .child: true
            case .addFloat, .least, .greatest, .last, .move, .moved, .distinct: false
            }
        }
    }

    package struct Item: Equatable, Sendable {
        package let field: [UInt8]
        package let value: Int64

        package init(field: [UInt8], value: Int64) {
            self.field = field
            self.value = value
        }
    }

    package var letter: UInt8
    package var digest: Digest
    package var widthSeconds: UInt32
    package var chunk: Int64
    package var page: UInt8
    /// Unix seconds; 0 is never.
    package var expirySeconds: UInt64
    package var operation: Operation
    /// Whether the key may be new, as far as the agent knows: then a transaction says its expiry.
    ///
    /// The script sees for itself.
    package var mayBeNew: Bool
    package var items: [Item]

    package init(
        letter: UInt8, digest: Digest, widthSeconds: UInt32, chunk: Int64, page: UInt8, expirySeconds: UInt64,
        operation: Operation, mayBeNew: Bool = true, items: [Item]
    ) {
        self.letter = letter
        self.digest = digest
        self.widthSeconds = widthSeconds
        self.chunk = chunk
        self.page = page
        self.expirySeconds = expirySeconds
        self.operation = operation
        self.mayBeNew = mayBeNew
        self.items = items
    }

    /// The store key the entry writes to.
    package func key(shard: Shard) -> [UInt8] {
        letter == StoreKey.Letter.names
            ? StoreKey.named(letter: letter, shard: shard, digest: digest)
            : StoreKey.chunk(
                letter: letter, shard: shard, digest: digest, widthSeconds: Int64(widthSeconds), chunk: chunk,
                page: page)
    }

    /// The keys that take over from a set cell's own once it has many members, quarter by quarter.
    package func quarterKeys(shard: Shard) -> [[UInt8]] {
        (1...SetCell.quarters).map { quarter in
            StoreKey.chunk(
                letter: StoreKey.Letter.distinct, shard: shard, digest: digest, widthSeconds: Int64(widthSeconds),
                chunk: chunk, page: quarter)
        }
    }
}
