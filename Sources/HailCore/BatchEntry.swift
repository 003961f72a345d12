/// What one store key of a batch is to receive.
package struct BatchEntry: Equatable, Sendable {
    package enum Operation: UInt8, Sendable {
        /// `HINCRBY` every field by its value.
        case add = 0x2B
        /// `HSETNX` every field: names in a page.
        case name = 0x6E
        /// `ZADD` every field with score 0: child subjects.
        case child = 0x7A
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
