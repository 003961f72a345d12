import HailCore
import HailWire
import Testing

@testable import HailAgent

@Suite("Answer plot")
struct AnswerPlotTests {
    private func plot(_ points: [Double]) throws -> [Substring] {
        let pairs = points.enumerated().map { "[\(1_700_000_000_000 + $0.offset * 60_000),\($0.element)]" }
        let body = "{\"_\":{\"hits\":[\(pairs.joined(separator: ","))]}}"
        let plot = try #require(AnswerPlot(try JSONText.parse(Array(body.utf8))))
        return plot.text.split(separator: "\n")
    }

    @Test("draws each point as a column of its height")
    func columns() throws {
        let lines = try plot([0, 1, 2, 4, 8])
        #expect(lines.first == "_  hits")
        // Eight rows: the highest value fills all, half of it half of them.
        #expect(lines[1] == "8 │    █")
        #expect(lines[5] == "  │   ██")
        #expect(lines[8] == "0 │ ████")
        #expect(lines[9] == "  └─────")
    }

    @Test("draws eighths of a row")
    func eighths() throws {
        let lines = try plot([64, 3, 5])
        #expect(lines[8].hasSuffix("█▃▅"))
    }

    @Test("draws below zero from the lowest value up")
    func negative() throws {
        let lines = try plot([-4, 4])
        #expect(lines[1].hasPrefix(" 4 │"))
        #expect(lines[8].hasPrefix("-4 │"))
        #expect(lines[1].last == "█" && lines[8].last == "█")
    }

    @Test("folds what is wider than a terminal, and bears constant and empty series")
    func widths() throws {
        let wide = try plot((0..<1_000).map(Double.init))
        #expect(wide[9].drop { $0 != "└" }.count == 73)
        #expect(wide[8].drop { $0 != "│" }.count == 73)
        #expect(try plot([0, 0, 0])[1] == "0 │   ")
        #expect(AnswerPlot(try JSONText.parse(Array(#"{"_":{"hits":[]}}"#.utf8)))?.text == "_  hits: no points\n")
    }

    @Test("is none for what is no answer of plotpoints", arguments: ["[]", "1", "{}", #"{"_":{"hits":3}}"#])
    func foreign(body: String) throws {
        #expect(AnswerPlot(try JSONText.parse(Array(body.utf8))) == nil)
    }
}
