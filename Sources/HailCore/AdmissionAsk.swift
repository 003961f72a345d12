/// What one shard asks the store before its cells get a number: which nodes are admitted in their chunks.
///
/// A node is a group of a subject other than the overall one. Asking twice is asking once: who was admitted stays so.
package struct AdmissionAsk: Equatable, Sendable {
    /// The nodes of one subject in one chunk.
    package struct Page: Equatable, Sendable {
        /// The subject's.
        package let digest: Digest
        package let widthSeconds: Int64
        package let chunk: Int64
        /// Unix seconds; 0 is never.
        package let expirySeconds: Int64
        /// Whether the first page is known to have more fields than names may be added to.
        package let isWide: Bool
        /// The asker's own number for the resolution.
        package let level: Int
        package var items: [Item] = []

        package init(
            digest: Digest, widthSeconds: Int64, chunk: Int64, expirySeconds: Int64, isWide: Bool, level: Int = 0
        ) {
            self.digest = digest
            self.widthSeconds = widthSeconds
            self.chunk = chunk
            self.expirySeconds = expirySeconds
            self.isWide = isWide
            self.level = level
        }
    }

    package struct Item: Equatable, Sendable {
        /// The field of the node's name in a page.
        package let name: [UInt8]
        /// The overflow page of the name.
        package let overflowPage: UInt8
        /// What it counts among: `d`, dimensions of the subject, or `v` and a dimension, values of that.
        package let counter: [UInt8]
        /// How many of these there may be, with it.
        package let limit: Int
        /// The place of its parent among the page's items; nil where that is known to be admitted.
        package let parent: Int?
        /// The asker's own number for the node.
        package let node: UInt32
        /// Whether the limit is the last one.
        package let isHeavy: Bool

        package init(
            name: [UInt8], overflowPage: UInt8, counter: [UInt8], limit: Int, parent: Int?, node: UInt32, isHeavy: Bool
        ) {
            self.name = name
            self.overflowPage = overflowPage
            self.counter = counter
            self.limit = limit
            self.parent = parent
            self.node = node
            self.isHeavy = isHeavy
        }
    }

    /// What the store says of a node.
    package enum Verdict: UInt8, Sendable {
        /// Its name is in the first page.
        case admitted = 0x61  // a
        /// Its name is in its overflow page.
        case admittedBeyond = 0x6F  // o
        case refused = 0x72  // r
        /// Not judged: the first page is full; ask again with `isWide`.
        case wide = 0x77  // w
        /// Admitted, since its keys hold something else than they must.
        case unreadable = 0x65  // e
    }

    package let shard: Shard
    /// Below so many fields of a first page, names are added to it without being counted.
    package let smallFields: Int
    package var pages: [Page]

    package init(shard: Shard, smallFields: Int, pages: [Page] = []) {
        self.shard = shard
        self.smallFields = smallFields
        self.pages = pages
    }
}
