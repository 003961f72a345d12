/// What one store key of a batch is to receive.
package struct BatchEntry: Equatable, Sendable {
    /// What happens to each item's field.
    ///
    /// Where an operation takes text besides the item's number, it stands in the field, after the first space.
    package enum Operation: UInt8, Sendable, CaseIterable {
        /// `HINCRBY` every field by its value.
        case add = 0x2B  // +
        /// `HINCRBYFLOAT` every field by the decimal text behind it.
        case addFloat = 0x66  // f
        /// Keep the smaller of what the field holds and the value.
        case least = 0x3C  // <
        /// Keep the larger.
        case greatest = 0x3E  // >
        /// A gauge's cell `VALUE TIME`: the text becomes the value if the item's number, milliseconds, is not older.
        case last = 0x3D  // =
        /// A gauge's all-time cell: the text is added to its value; the entries with `moved` that follow take the
        /// result.
        case move = 0x7E  // ~
        /// A gauge's cell, as `last`, with the result of the `move` before it.
        case moved = 0x6D  // m
        /// Every field is a member (eight bytes) of a set cell. Up to `SetCell.exactMembers` are kept in the key;
        /// beyond, the four keys of letter `distinct` take their quarters.
        case distinct = 0x73  // s
        /// `HSETNX` every field: names in a page.
        case name = 0x6E  // n
        /// `ZADD` every field with score 0: child subjects.
        case child = 0x7A  // z
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
    package var items: [Item]

    package init(
        letter: UInt8, digest: Digest, widthSeconds: UInt32, chunk: Int64, page: UInt8, expirySeconds: UInt64,
        operation: Operation, items: [Item]
    ) {
        self.letter = letter
        self.digest = digest
        self.widthSeconds = widthSeconds
        self.chunk = chunk
        self.page = page
        self.expirySeconds = expirySeconds
        self.operation = operation
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
}
