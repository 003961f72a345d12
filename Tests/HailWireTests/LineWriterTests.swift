import HailCore
import Testing

@testable import HailWire

@Suite("Line writer")
struct LineWriterTests {
    @Test("writes names that are read back as they were, whatever letters they have")
    func inverse() throws {
        var random = SplitMix(seed: 11)
        let letters = Array("ab%.:|,#=>@/ 25é\"7C;\u{80}")
        func part() -> String {
            String((0...random.below(9)).map { _ in random.pick(letters) })
        }
        for _ in 0..<2_000 {
            let subject = (0...random.below(4)).map { _ in part() }
            let metric = part()
            let paths = (0..<random.below(4)).map { _ in
                (0...random.below(4)).map { _ in part() }
            }
            var line = LineWriter(name: subject)
            line.addMetric(metric, "1.5")
            line.addType("c")
            for path in paths { line.addTag(path[0], Array(path[1...])) }
            let read = try #require(ReadLine.all(of: line.bytes).first)
            #expect(read.error == nil, "\(String(decoding: line.bytes, as: UTF8.self))")
            #expect(read.name?.subject == subject)
            #expect(read.name?.metrics.first == metric)
            #expect(read.name?.paths == paths)
        }
    }

    @Test(
        "says where there is no line",
        arguments: [([""], true, false), ([], true, false), (["", "a"], false, false), (["a\n"], false, true)]
            as [([String], Bool, Bool)])
    func refusals(name: [String], isNameless: Bool, hasControlByte: Bool) {
        let line = LineWriter(name: name)
        #expect(line.isNameless == isNameless)
        #expect(line.hasControlByte == hasControlByte)
    }

    @Test("writes different members as different bytes")
    func members() {
        let members = ["|", "%7C", "%7c", "%257C", "%25", "%2525", "%", "%%", "%|", "%2", "%25|", "7C"]
        let written = members.map { member in
            var line = LineWriter(name: ["a"])
            line.addMember(member)
            return line.bytes
        }
        #expect(Set(written).count == members.count)
        #expect(written.allSatisfy { !$0.contains(UInt8(ascii: "|")) })
    }
}
