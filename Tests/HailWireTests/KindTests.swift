import HailCore
import HailWire
import Testing

/// What the vectors do not show: properties of gauges, timers, sets and DogStatsD's messages.
@Suite("Kinds of lines")
struct KindTests {
    @Test(
        "move a gauge by sign, mode and sections",
        arguments: [
            ("", [true, false, true]), ("|@0.5", [true, false, true]), ("|#x", [true, false, false]),
            ("|#", [true, false, false]), ("|T5", [true, false, false]), ("|c:a", [true, false, false]),
            ("|e:a", [true, false, false]), ("|card:a", [true, false, false]), ("|@1|#x|T5", [true, false, false]),
        ] as [(String, [Bool])])
    func signs(sections: String, moves: [Bool]) throws {
        for (sign, isMove) in zip([GaugeSign.delta, .value, .auto], moves) {
            for (text, value) in [("+2", 2.0), ("-2.5", -2.5), ("+0", 0)] {
                let read = try #require(ReadLine.only("a.b:\(text)|g\(sections)", sign: sign))
                #expect(read.steps == [[isMove ? .move(value) : .set(value)]], "\(sign) \(text)")
                let event = try #require(ReadLine.only("a:b=1:c=\(text)|g\(sections)", sign: sign))
                #expect(event.steps == [[.set(1)], [isMove ? .move(value) : .set(value)]], "\(sign) \(text)")
            }
            #expect(ReadLine.only("a.b:2|g\(sections)", sign: sign)?.steps == [[.set(2)]])
            // A service check has a status, not a sign.
            #expect(ReadLine.only("_sc|a.b|2", sign: sign)?.steps == [[.set(2)]])
        }
    }

    @Test("have a gauge's value as the nearest double", arguments: 0..<4)
    func doubles(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<3_000 {
            let bits = Double(bitPattern: random.next())
            let value = random.below(2) == 0 && bits.isFinite ? bits : Double.random(in: -1e7...1e7, using: &random)
            let read = try #require(ReadLine.only("a:\(value)|g|#t"))
            #expect(read.steps == [[.set(value)]], "\(value)")
        }
        for (text, value) in [
            ("0.1", 0.1), ("1e-400", 0), ("1e308", 1e308), ("00012.50", 12.5), ("9007199254740993", 9007199254740992),
        ] {
            #expect(ReadLine.only("a:\(text)|g")?.steps == [[.set(value)]], "\(text)")
        }
    }

    @Test("are things of their own: one name has an identity a type")
    func identities() {
        let lines = ["a.b:1|c", "a.b:1|g", "a.b:1|ms", "a.b:1|s"].compactMap { ReadLine.only($0) }
        #expect(lines.map { $0.name?.kind } == [.counter, .gauge, .timer, .set])
        #expect(Set(lines.map(\.identity)).count == 4)
        // h, d and ms are the same timer, whatever the client calls it.
        let timers = ["a.b:1|ms|#x", "a.b:1|h|#x", "a.b:1|d|#x"].compactMap { ReadLine.only($0)?.name }
        #expect(timers.count == 3 && timers.allSatisfy { $0 == timers[0] })
        let check = ReadLine.only("_sc|a.b|1|d:5|h:x|#t:u|m:hello")
        #expect(check?.identity == ReadLine.only("a.b:7|g|#t:u")?.identity)
        #expect(check?.hash == ReadLine.only("a.b:7|g|#t:u")?.hash)
        let members = ["a.b:x|s", "a.b:y:z=1|s|@0.5", "a.b:1|s|T5"].compactMap { ReadLine.only($0)?.identity }
        #expect(Set(members).count == 1 && members.count == 3)
    }

    @Test("ignore the rate of gauges and sets, but not one that is none")
    func rates() {
        for line in ["a:5|g", "a:+5|g", "a:x|s"] {
            var plain = ReadLine.only(line)
            plain?.number = 1
            for rate in ["@0.1", "@1e-6", "@1"] { #expect(ReadLine.only("\(line)|\(rate)") == plain) }
            #expect(ReadLine.only("\(line)|@0")?.error == .rateOutOfRange)
            #expect(ReadLine.only("\(line)|@x")?.error == .badRate)
        }
    }

    @Test(
        "of the time before what is kept are late, and service checks too",
        arguments: ["a:1|g|T", "a:1|ms|T", "a:x|s|T", "_sc|db.up|1|d:", "_sc|db.up|1|#x|d:"])
    func times(line: String) {
        let buffer = LineBuffer()
        for (seconds, error) in [("99", LineError.late), ("100", nil), ("200", nil), ("201", .future)] {
            Array((line + seconds + "\na:ok|s").utf8).withUnsafeBufferPointer {
                LineScanner(seed: 1).scan($0, into: buffer, times: 100...200)
            }
            #expect((0..<buffer.lineCount).map { buffer.lines[$0].error } == [error, nil], "\(line)\(seconds)")
            // What a refused line left behind is taken back.
            #expect(ReadLine(buffer.lines[1], of: buffer).member == Array("ok".utf8))
            #expect(buffer.memberCount == (line.contains("|s|") && error == nil ? 3 : 2))
        }
    }

    @Test("are taken line by line, in any mixture")
    func mixture() {
        let text = "a:1|c\n_e{1,1}:a|b\na:+1|g\n_sc|x.y|3\na:5|ms|@0.5\na:bob|s\n_e{1}:a\n_sc|x|9\nb:eve|s\n"
        let lines = ReadLine.all(of: Array(text.utf8))
        #expect(lines.map(\.error) == [nil, nil, nil, nil, nil, nil, .badEvent, .badServiceCheck, nil])
        #expect(lines.map(\.isMessage) == [false, true, false, false, false, false, false, false, false])
        #expect(lines.map(\.member) == [nil, nil, nil, nil, nil, Array("bob".utf8), nil, nil, Array("eve".utf8)])
        #expect(lines[4].values == [[5_000_000]] && lines[4].weightMicros == 2_000_000)
    }
}
