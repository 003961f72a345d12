import HailAggregate
import HailCore
import Testing

@Suite("Fan-out")
struct FanOutTests {
    @Test(
        "counts at every prefix of the subject and every prefix of every path, each once",
        arguments: [
            ([], [], [""], ["_"]),
            (["a"], [], ["a"], ["_"]),
            (
                ["a", "b", "c"], [["country", "US"], ["geo", "US", "CA"]], ["a", "a/b", "a/b/c"],
                ["_", "country", "country/US*", "geo", "geo/US", "geo/US/CA*"]
            ),
            (["a"], [["t"], ["t", "a"]], ["a"], ["_", "t*", "t/a*"]),
            (["a"], [["t", "a"], ["t"]], ["a"], ["_", "t*", "t/a*"]),
            (["a"], [["t", "a"], ["t", "a"], ["t", "b"]], ["a"], ["_", "t", "t/a*", "t/b*"]),
            (["a"], [["host", "x"], ["t"]], ["a"], ["_", "t*"]),
        ] as [([String], [[String]], [String], [String])])
    func groups(subject: [String], paths: [[String]], subjects: [String], groups: [String]) {
        let name = SeriesName(subject: subject, metrics: ["x"], kind: .counter, paths: paths)
        let fanOut = FanOut(name, FanOut.Rules(droppedDimensions: ["host"]))
        #expect(fanOut.subjects.map { $0.joined(separator: "/") } == subjects)
        #expect(fanOut.groups.map(FanOutTests.text) == groups)
    }

    @Test("counts exact paths at their full length alone")
    func exact() {
        let paths = [["a", "5"], ["b", "x", "1"], ["a", "5"]]
        let name = SeriesName(subject: ["p"], metrics: ["x"], kind: .counter, paths: paths, isExact: true)
        #expect(FanOut(name).groups.map(FanOutTests.text) == ["_", "a/5*", "b/x/1*"])
    }

    @Test("of a gauge counts at the subject itself, at the overall group and at full paths alone")
    func gauge() {
        let name = SeriesName(
            subject: ["p", "q"], metrics: ["x"], kind: .gauge,
            paths: [["geo", "US", "CA"], ["t"], ["t", "a"], ["geo", "US"]])
        let exact = FanOut(name).exact
        #expect(exact.subjects == [["p", "q"]])
        #expect(exact.groups.map(FanOutTests.text) == ["_", "geo/US*", "geo/US/CA*", "t*", "t/a*"])
        #expect(FanOut(SeriesName(subject: [], metrics: ["x"], kind: .gauge, paths: [])).exact.subjects == [[]])
    }

    @Test("tells names apart by their bytes")
    func bytes() {
        let name = SeriesName(
            subject: ["p"], metrics: ["x"], kind: .counter,
            paths: [["d", "\u{E9}"], ["d", "e\u{301}"], ["K"], ["\u{212A}"]])
        #expect(FanOut(name).groups.count == 6)
        #expect(FanOut(name, FanOut.Rules(droppedDimensions: ["\u{212A}"])).groups.count == 5)
        #expect(FanOut(name, FanOut.Rules(droppedDimensions: ["k"])).groups.count == 6)
    }

    private static func text(_ group: FanOut.Group) -> String {
        group.path.isEmpty ? "_" : group.path.joined(separator: "/") + (group.isFull ? "*" : "")
    }
}
