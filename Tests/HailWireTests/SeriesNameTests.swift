import HailCore
import HailWire
import Testing

@Suite("Series name")
struct SeriesNameTests {
    @Test("is read back as it was written", arguments: 0..<4)
    func roundTrip(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<3_000 {
            let name = SeriesNameTests.name(&random)
            let identity = SeriesNameEncoder.identity(of: name)
            let read = try SeriesNameParser.parse(identity)
            #expect(read == name)
            #expect(SeriesNameTests.bytes(read) == SeriesNameTests.bytes(name))
            #expect(SeriesNameEncoder.identity(of: read) == identity)
        }
    }

    @Test(
        "is written as a line would have it",
        arguments: [
            (SeriesName(subject: ["a"], metrics: ["x", "hits"], kind: .counter, paths: []), "a:x=|c"),
            (SeriesName(subject: [], metrics: ["hits"], kind: .counter, paths: [["a", "b", "c"]]), "_:hits=|c|#a:b>c"),
            (SeriesName(subject: ["a", "b"], metrics: ["x"], kind: .counter, paths: [["t"]]), "a.b.x:|c|#t"),
            (
                SeriesName(subject: ["a.b"], metrics: ["hits", "x"], kind: .counter, paths: [["t"]], isExact: true),
                "a%2Eb:hits=:x=|c!|#t"
            ),
            (SeriesName(subject: ["a"], metrics: ["x"], kind: .gauge, paths: [["t", "u"]]), "a.x:|g|#t:u"),
            (SeriesName(subject: ["a"], metrics: ["x", "y"], kind: .gauge, paths: []), "a:x=:y=|g"),
            (SeriesName(subject: [], metrics: ["x", "hits"], kind: .timer, paths: []), "_:x=:hits=|ms"),
            (SeriesName(subject: [], metrics: ["users"], kind: .set, paths: [], isExact: true), "users:|s!"),
        ])
    func written(name: SeriesName, identity: String) {
        #expect(SeriesNameEncoder.identity(of: name) == Array(identity.utf8))
    }

    @Test(
        "has at most 64 metrics besides the implied hits, wherever it comes from", arguments: [(64, true), (65, false)])
    func metricLimit(count: Int, isTaken: Bool) {
        let identity = "a:" + (0..<count).map { "m\($0)=" }.joined(separator: ":") + "|c"
        #expect(((try? SeriesNameParser.parse(Array(identity.utf8))) != nil) == isTaken)
    }

    @Test("never traps on bytes that are no identity", arguments: 0..<4)
    func hostile(seed: Int) {
        var random = SplitMix(seed: UInt64(seed) + 50)
        for _ in 0..<3_000 {
            var identity = SeriesNameEncoder.identity(of: SeriesNameTests.name(&random))
            for _ in 0...random.below(4) where !identity.isEmpty {
                let place = random.below(identity.count)
                switch random.below(3) {
                case 0: identity[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: identity.remove(at: place)
                default: identity.insert(random.pick(Array(".:|,#=>%".utf8)), at: place)
                }
            }
            guard let name = try? SeriesNameParser.parse(identity) else { continue }
            #expect(
                (try? SeriesNameParser.parse(SeriesNameEncoder.identity(of: name))) == name,
                "\(String(decoding: identity, as: UTF8.self))")
        }
    }

    @Test("has a hash of its identity's bytes alone, whatever lies behind them")
    func hash() {
        let scanner = LineScanner(seed: 12_345)
        var random = SplitMix(seed: 3)
        for count in 0..<70 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let hashes = (0..<5).map { _ in
                let padded = bytes + (0..<8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                return padded.withUnsafeBufferPointer { buffer in
                    buffer.baseAddress.map { scanner.hash($0, count: count) }
                }
            }
            #expect(Set(hashes).count == 1)
        }
    }

    @Test("has other hashes under another seed, and few names share one")
    func spread() {
        var low = Set<UInt64>()
        var all = Set<UInt64>()
        for index in 0..<50_000 {
            let bytes = Array("api.users.\(index):|c|#host:web\(index % 7)".utf8) + [UInt8](repeating: 0, count: 8)
            let hash = bytes.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.map { LineScanner(seed: 1).hash($0, count: bytes.count - 8) }
            }
            guard let hash else { continue }
            all.insert(hash)
            low.insert(hash & 0xFFFF)
        }
        #expect(all.count == 50_000)
        // Of 65,536 places, 50,000 names at random leave e^(−50000/65536) = 46.6 % empty.
        #expect((34_000...36_000).contains(low.count))
        let line = Array("a:1|c".utf8)
        #expect(ReadLine.all(of: line, seed: 2).map(\.hash) != ReadLine.all(of: line, seed: 4).map(\.hash))
    }

    private static func bytes(_ name: SeriesName) -> [[UInt8]] {
        [CellName.joined(name.subject), CellName.joined(name.metrics)] + name.paths.map(CellName.joined)
    }

    private static func name(_ random: inout SplitMix) -> SeriesName {
        let kind = random.pick(Kind.allCases)
        let subject = (0..<random.below(17)).map { _ in part(&random) }
        var metrics = [part(&random)]
        if kind == .gauge || kind == .timer {
            metrics += (0..<random.below(4)).map { _ in part(&random) }
        } else if kind == .counter, random.below(2) == 0 {
            metrics += (0..<random.below(5)).map { _ in part(&random) }
            metrics.insert(SeriesName.hits, at: random.below(metrics.count + 1))
        }
        let paths = (0..<random.below(6)).map { _ in (0...random.below(8)).map { _ in part(&random) } }
        return SeriesName(
            subject: subject, metrics: metrics, kind: kind, paths: paths, isExact: random.below(4) == 0)
    }

    private static let pieces = [
        "a", "b", "Z9", "-", " ", "%", ".", ":", "|", ",", "#", "=", ">", "@", "/", ";", "é", "e\u{301}", "\u{212A}",
        "日本",
        "🐳", "%2E", "%zz", "_", "\"", "\\", "{", "\u{A0}", "\u{2028}",
    ]

    private static func part(_ random: inout SplitMix) -> String {
        if random.below(50) == 0 { return String(repeating: random.pick(["x", "%", "."]), count: 256) }
        var part = ""
        for _ in 0...random.below(4) { part += random.pick(pieces) }
        return part == Reserved.overall ? "a" : part
    }
}
