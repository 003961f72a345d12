import Testing

@testable import HailWire

@Suite("Line packer")
struct LinePackerTests {
    private func line(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }

    @Test(
        "fills a datagram to its size and not past it",
        arguments: [
            ([4, 5], [10]), ([4, 6], [4, 6]), ([10, 1], [10, 1]), ([9, 1], [9, 1]), ([8, 1], [10]),
            ([11, 3], [11, 3]),
            ([3, 12, 3], [3, 12, 3]), ([1, 1, 1, 1, 1, 1], [9, 1]), ([0, 4, 0], [4]), ([0], []), ([], []), ([20], [20]),
        ] as [([Int], [Int])])
    func sizes(lines: [Int], datagrams: [Int]) {
        var packer = LinePacker(preferredBytes: 10, limitBytes: 20)
        var sent: [LinePacker.Datagram] = []
        for count in lines { if case .full(let full) = packer.add(line(count)) { sent += full } }
        if let last = packer.close() { sent.append(last) }
        #expect(sent.map(\.bytes.count) == datagrams)
        #expect(sent.reduce(0) { $0 + $1.lineCount } == lines.filter { $0 > 0 }.count)
        #expect(packer.close() == nil)
    }

    @Test("refuses what no datagram holds, and keeps what waits")
    func tooLong() {
        var packer = LinePacker(preferredBytes: 10, limitBytes: 20)
        #expect(packer.add(line(3)) == .waiting)
        #expect(packer.add(line(21)) == .tooLong)
        #expect(packer.close() == LinePacker.Datagram(bytes: line(3), lineCount: 1))
    }
}
