/// Fields of the hashes that hold cells.
///
/// Writers, readers and the script agree on them here.
///
/// A cell lies in one of three places and a reader adds up what all three hold: the subject's first page while
/// cells are few, one of 64 overflow pages when they are many, or a strip of its own once it is dense.
/// So writers may choose freely, and agents that choose differently still agree on every sum.
package enum PageField {
    /// Overflow pages are numbered 1…64.
    package static let overflowPages: UInt8 = 64

    /// The overflow page of anything named by a digest.
    package static func overflowPage(of digest: Digest) -> UInt8 { 1 + digest[8] % overflowPages }

    /// A sparse counter cell in a page: the digest's first eight bytes with the top bit set, then the bucket's
    /// offset as two bytes, big-endian, whose top bit marks the millionths.
    package static func cell(_ digest: Digest, offset: Int, isMillionths: Bool) -> [UInt8] {
        var field = [UInt8](repeating: 0, count: 10)
        for index in 0..<8 { field[index] = digest[index] }
        field[0] |= 0x80
        field[8] = UInt8(offset >> 8) | (isMillionths ? 0x80 : 0)
        field[9] = UInt8(offset & 0xFF)
        return field
    }

    /// A cell in a strip: the bucket's offset as decimal text (Redis stores that as an integer), plus 1000 for
    /// the millionths.
    package static func strip(offset: Int, isMillionths: Bool) -> [UInt8] {
        var field: [UInt8] = []
        StoreKey.appendDecimal(Int64(offset + (isMillionths ? millionthsBase : 0)), to: &field)
        return field
    }

    /// What is added to an offset in a strip for the millionths.
    package static let millionthsBase = 1_000

    /// The name of a group in a page: `g`, then the parts joined by 0x00.
    ///
    /// Agents ask by it whether the group is admitted; see `AdmissionAsk`.
    package static func group(_ parts: [String]) -> [UInt8] { [UInt8(ascii: "g")] + CellName.joined(parts) }

    /// The name of a metric in a page: `m`, the kind's letter, the name.
    package static func metric(_ name: String, kind: Kind) -> [UInt8] {
        [UInt8(ascii: "m"), kind.letter] + Array(name.utf8)
    }

    /// A component of a sparse timer cell in a page: as a counter's cell, then the component's number.
    package static func timer(_ digest: Digest, offset: Int, _ component: TimerComponent) -> [UInt8] {
        cell(digest, offset: offset, isMillionths: false) + [component.rawValue]
    }

    /// Where the counts of a chunk say how many dimensions the subject has.
    package static let dimensionCount = [UInt8(ascii: "d")]

    /// Where they say how many groups deeper than a dimension lie under it.
    package static func valueCount(of dimension: String) -> [UInt8] { [UInt8(ascii: "v")] + Array(dimension.utf8) }
}
