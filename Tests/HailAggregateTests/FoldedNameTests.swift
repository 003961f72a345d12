import HailCore
import Testing

@testable import HailAggregate

@Suite("Folded names")
struct FoldedNameTests {
    private func stages(_ subject: [String], _ metrics: [String], _ kind: Kind = .counter) -> [String] {
        let name = SeriesName(
            subject: subject, metrics: metrics, kind: kind, paths: [["d", "v"]], isExact: true)
        return FoldedName.stages(of: name).map { folded in
            #expect(folded.name.paths.isEmpty && !folded.name.isExact && folded.name.kind == kind)
            return "\(folded.stage) \(folded.name.subject.joined(separator: ".")):"
                + folded.name.metrics.joined(separator: ",")
        }
    }

    @Test("give up tags, then the subject behind its first part, then metrics, then the first part, then both")
    func order() {
        #expect(
            stages(["a", "b", "c"], ["m", "hits"]) == [
                "tags a.b.c:m,hits", "subject a.__other__:m,hits", "metrics a.__other__:__other__,hits",
                "firstPart __other__:m,hits", "all __other__:__other__,hits",
            ])
        #expect(stages(["a"], ["m", "n"], .timer).last == "all __other__:__other__")
        #expect(stages(["a"], ["hits"]).last == "all __other__:hits")
        #expect(stages(["a"], ["hits"], .gauge).last == "all __other__:__other__")
    }

    @Test("leave the overall subject in its place")
    func overall() {
        #expect(stages([], ["m"]) == ["tags :m", "all :__other__"])
    }

    @Test("add up the values of the metrics that are given up, past 64 bits, and leave hits alone")
    func values() throws {
        let name = SeriesName(subject: ["a"], metrics: ["m", "hits", "n"], kind: .counter, paths: [])
        let last = try #require(FoldedName.stages(of: name).last)
        #expect(last.values([.max, 3, .max], of: name) == [2 * Int128(Int64.max), 3])
        let first = try #require(FoldedName.stages(of: name).first)
        #expect(first.values([1, 2, 3], of: name) == [1, 2, 3])
    }

    @Test("of new series are shorter with every sixteenth that the book is past its limit")
    func book() throws {
        let flow = Flow(ladder: try Ladder(parsing: "10s:1h"), recordLimit: 160)
        for number in 0..<2_000 { flow.add("r\(number).s\(number):m\(number)=2:n=3|c|#d:v\(number)") }
        _ = flow.pending.fold(flow.close(startSeconds: 1_700_000_000))
        #expect(flow.book.recordCount < 160 + 5 * 10 + 60)
        var sums: [String: Int128] = [:]
        for span in flow.pending.shards.flatMap(\.spans.values) {
            for (record, sum) in zip(span.records, span.sums) {
                let record = flow.book.records[Int(record)]
                guard flow.book.groups[Int(record.group)].path.isEmpty else { continue }
                let subject = flow.book.subjects[Int(record.subject)].parts
                guard subject.count == 1 else { continue }
                sums[flow.book.metrics[Int(record.metric)], default: 0] += sum
            }
        }
        #expect(sums["hits"] == 2_000_000_000)
        #expect(sums.filter { $0.key != "hits" }.values.reduce(0, +) == 5 * 2_000_000_000)
    }
}
