import HailCore
import HailSeal
import Testing

@testable import HailAggregate

@Suite("View")
struct ViewTests {
    private static let geoPlan = View(["geo", "plan"])

    @Test(
        "counts an event that has all its dimensions, at a value of each",
        arguments: [
            (["geo", "plan"], [["geo", "US"], ["plan", "pro"]], ["geo×plan/US/pro"]),
            (["plan", "geo"], [["geo", "US"], ["plan", "pro"]], ["plan×geo/pro/US"]),
            (["geo", "plan"], [["plan", "pro"], ["x", "y"], ["geo", "US"]], ["geo×plan/US/pro"]),
            (["geo", "plan"], [["geo", "US"]], []),
            (["geo", "plan"], [], []),
            // Of a nested value the first part, and all parts of the last dimension's.
            (["geo", "plan"], [["geo", "US", "CA"], ["plan", "pro", "yearly"]], ["geo×plan/US/pro/yearly"]),
            (["a", "b"], [["a", "1"], ["b", "1", "2", "3", "4", "5", "6", "7"]], ["a×b/1/1/2/3/4/5/6"]),
            (
                ["a", "b", "c", "d", "e", "f", "g"],
                [["a", "1"], ["b", "2"], ["c", "3"], ["d", "4"], ["e", "5"], ["f", "6"], ["g", "7", "8"]],
                ["a×b×c×d×e×f×g/1/2/3/4/5/6/7"]
            ),
            // Several values make as many paths, each once.
            (
                ["geo", "plan"], [["geo", "US", "CA"], ["geo", "US", "NV"], ["plan", "pro"], ["plan", "pro"]],
                ["geo×plan/US/pro"]
            ),
            (
                ["geo", "plan"], [["geo", "US"], ["geo", "DE"], ["plan", "a"], ["plan", "b"]],
                ["geo×plan/US/a", "geo×plan/US/b", "geo×plan/DE/a", "geo×plan/DE/b"]
            ),
            // A path ends before a dimension without a value.
            (["geo", "beta"], [["geo", "US"], ["beta"]], ["geo×beta/US"]),
            (["beta", "geo"], [["geo", "US"], ["beta"]], ["beta×geo"]),
            (["geo", "beta"], [["geo", "US"], ["beta"], ["beta", "x"]], ["geo×beta/US", "geo×beta/US/x"]),
            (["a", "b", "c"], [["a", "1"], ["b"], ["c", "3"]], ["a×b×c/1"]),
        ] as [([String], [[String]], [String])])
    func crossings(dimensions: [String], paths: [[String]], crossings: [String]) {
        #expect(
            View(dimensions).crossings(of: paths, limit: 128).map { $0.joined(separator: "/") } == crossings)
    }

    @Test("tells its dimensions apart by their bytes")
    func bytes() {
        let paths = [["e\u{301}", "1"], ["b", "2"]]
        #expect(View(["\u{E9}", "b"]).crossings(of: paths, limit: 128).isEmpty)
        #expect(View(["e\u{301}", "b"]).crossings(of: paths, limit: 128).count == 1)
    }

    private static func many(_ dimension: String, _ count: Int) -> [[String]] {
        (0..<count).map { [dimension, "\($0)"] }
    }

    @Test("counts as a whole alone where its values would make more paths than a line may have")
    func bound() {
        let paths = Self.many("geo", 8) + Self.many("plan", 16)
        #expect(Self.geoPlan.crossings(of: paths, limit: 128).count == 128)
        #expect(Self.geoPlan.crossings(of: paths + [["plan", "x"]], limit: 128) == [["geo×plan"]])
        // What it lacks it lacks, however many the others are.
        let lacking = View(["geo", "plan", "none"])
        #expect(lacking.crossings(of: paths, limit: 1).isEmpty)
    }

    @Test("shares what a line may have with the other views")
    func room() {
        let views = [Self.geoPlan, View(["plan", "geo"]), View(["x", "geo"])]
        let name = SeriesName(
            subject: ["s"], metrics: ["n"], kind: .counter,
            paths: Self.many("geo", 10) + Self.many("plan", 10) + [["x", "1"]])
        let groups = FanOut(name, FanOut.Rules(views: views)).groups.map(\.path)
        #expect(groups.count { $0.first == "geo×plan" } == 1 + 10 + 100)
        #expect(groups.filter { $0.first == "plan×geo" } == [["plan×geo"]])
        #expect(groups.count { $0.first == "x×geo" } == 1 + 1 + 10)
    }

    @Test("counts at every prefix of its path, after dropped dimensions are forgotten")
    func fanOut() {
        let rules = FanOut.Rules(views: [Self.geoPlan])
        func groups(_ name: SeriesName, _ rules: FanOut.Rules) -> [[String]] {
            FanOut(name, rules).groups.map(\.path).filter { $0.first == "geo×plan" }
        }
        var name = SeriesName(
            subject: ["s"], metrics: ["n"], kind: .counter, paths: [["geo", "US", "CA"], ["plan", "pro"]])
        #expect(groups(name, rules) == [["geo×plan"], ["geo×plan", "US"], ["geo×plan", "US", "pro"]])
        #expect(groups(name, FanOut.Rules(droppedDimensions: ["plan"], views: [Self.geoPlan])).isEmpty)
        #expect(FanOut(name, rules).exact.groups.map(\.path).last == ["geo×plan", "US", "pro"])
        #expect(FanOut(name, rules).exact.groups.count == 4)
        name.isExact = true
        #expect(groups(name, rules).isEmpty)
    }

    @Test("is kept within the bound of values, its children and what was refused adding up to it")
    func cap() throws {
        let flow = Flow(
            ladder: try Ladder(parsing: "10s:1h"), rules: FanOut.Rules(views: [Self.geoPlan]), valueLimit: 20)
        var registry = AdmissionModel()
        var store = StoreModel()
        let start: Int64 = 1_700_000_000
        for round in 0..<3 {
            let lines = (0..<300).map { "s:n=1|c|#geo:g\($0 % 10),plan:p\(round).\($0)" }
            #expect(flow.add(lines.joined(separator: "\n")) == [])
            _ = flow.pending.fold(flow.close(startSeconds: start + Int64(round)))
            for batch in flow.flush(nowSeconds: start + 3, asking: &registry) { try store.apply(batch) }
        }
        func sum(_ group: [String]) -> Int128 {
            let name = CellName(subject: ["s"], group: group, metric: "n", kind: .counter)
            return store.take(
                StoreModel.Place(
                    subject: NameDigest.blake2b(CellName.subjectBytes(["s"])),
                    cell: NameDigest.blake2b(name.canonicalBytes), widthSeconds: 0, chunk: 0, offset: 0)) ?? 0
        }
        let whole = sum(["geo×plan"])
        #expect(whole == 900_000_000)
        let countries = (0..<10).map { "g\($0)" } + [Reserved.other]
        let sums = countries.map { sum(["geo×plan", $0]) }
        #expect(sums.reduce(0, +) == whole)
        #expect(sums.contains { $0 > 0 })
        for (country, own) in zip(countries.dropLast(), sums) where own > 0 {
            let plans = (0..<3).flatMap { round in (0..<300).map { "p\(round).\($0)" } } + [Reserved.other]
            #expect(plans.map { sum(["geo×plan", country, $0]) }.reduce(0, +) == own)
        }
    }
}
