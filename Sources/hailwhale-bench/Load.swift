/// Datagrams rendered beforehand: every series equally often, in an order that was shuffled once.
struct Load {
    let series: Int
    let linesPerDatagram: Int
    private(set) var bytes: [UInt8] = []
    /// Datagram i is the bytes from `offsets[i]` to `offsets[i + 1]`.
    private(set) var offsets: [UInt64] = [0]
    private(set) var lineCount = 0

    var datagramCount: Int { offsets.count - 1 }

    /// Values that a tag takes.
    private static let tagValues = 50
    /// A ring has at least so many datagrams, so that none stays in a cache from one turn to the next.
    private static let fewestDatagrams = 4_096

    /// - Parameter prefix: the first part of every subject; another one gives other series.
    init(series: Int, linesPerDatagram: Int, tags: Int, prefix: String = "shop") {
        self.series = series
        self.linesPerDatagram = linesPerDatagram
        var order = Array(0..<series)
        // SplitMix64; a load is the same on every machine.
        var state: UInt64 = 1
        for place in stride(from: series - 1, to: 0, by: -1) {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
            order.swapAt(place, Int((word ^ word >> 31) % UInt64(place + 1)))
        }
        let rounds = max(1, (Load.fewestDatagrams * linesPerDatagram + series - 1) / series)
        bytes.reserveCapacity(rounds * series * (24 + 12 * tags))
        for _ in 0..<rounds {
            for number in order {
                if lineCount % linesPerDatagram > 0 { bytes.append(UInt8(ascii: "\n")) }
                bytes.append(contentsOf: prefix.utf8)
                bytes.append(contentsOf: ".i\(number):\(number % 500)|c".utf8)
                for tag in 0..<tags {
                    bytes.append(contentsOf: (tag == 0 ? "|#k" : ",k").utf8)
                    let value = (number &* 2_654_435_761 >> tag) % Load.tagValues
                    bytes.append(contentsOf: "\(tag):v\(value)".utf8)
                }
                lineCount += 1
                if lineCount % linesPerDatagram == 0 { offsets.append(UInt64(bytes.count)) }
            }
        }
        if offsets.last != UInt64(bytes.count) { offsets.append(UInt64(bytes.count)) }
    }
}
