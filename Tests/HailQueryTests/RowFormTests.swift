import HailCore
import HailQuery
import HailSeal
import Testing

@Suite("Rows")
struct RowFormTests {
    private static let now = PeriodTests.now

    private func csv(_ events: [JSONValue], _ more: [String: JSONValue]) throws -> String {
        var store = FakeStore(ladder: try Ladder(parsing: Ladder.standardText))
        for event in events { try store.count(pk: .string("s"), dimensions: event, metrics: [], at: Self.now) }
        let parameters: [String: JSONValue] = [
            "pk": .string("s"), "period": .string("1d:1d"), "format": .string("csv"), "depth": .number("2"),
        ]
        let answer = try store.plotpoints(parameters.merging(more) { $1 }, now: Self.now)
        guard case .written(let bytes) = answer else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("are quoted as RFC 4180 has it, and disarmed for spreadsheets")
    func csvFields() throws {
        let day = Self.now.floorDivided(by: 86_400) * 86_400_000
        let text = try csv(
            [.path("a", "x,\"y\""), .path("=b", "-1"), .path("value", "v")], [:])
        #expect(
            text.split(separator: "\r\n").sorted()
                == [
                    "t,metric,value,dimension,'=b,a", "\(day),hits,3,_,,", "\(day),hits,1,a,,", "\(day),hits,1,'=b,,",
                    "\(day),hits,1,value,,", "\(day),hits,1,\"[\"\"=b\"\", \"\"-1\"\"]\",'-1,",
                    "\(day),hits,1,\"[\"\"a\"\", \"\"x,\\\"\"y\\\"\"\"\"]\",,\"x,\"\"y\"\"\"",
                    "\(day),hits,1,\"[\"\"value\"\", \"\"v\"\"]\",,",
                ].sorted())
        #expect(text.hasPrefix("t,metric,value,dimension,'=b,a\r\n") && text.hasSuffix("\r\n"))
    }

    @Test("are refused in a form that is none")
    func refusal() {
        for value: JSONValue in [.string("xml"), .array([]), .bool(true), .number("1")] {
            #expect(code { _ = try AnswerForm(["format": value]) } == .badValue)
        }
        #expect(throws: Never.self) { _ = try AnswerForm(["format": .null]) }
    }

    @Test("are bounded in cells: each line of CSV has a column for every dimension")
    func cells() throws {
        let store = FakeStore(ladder: try Ladder(parsing: "1m:1d"))
        let parameters: [String: JSONValue] = [
            "dimensions": .array((0..<32).map { .path("d\($0)") }), "period": .string("1m:12h"),
            "metrics": .array((0..<8).map { .string("m\($0)") }), "format": .string("csv"),
        ]
        var refusal: QueryError?
        do { _ = try store.plotpoints(parameters, now: Self.now) } catch { refusal = error as? QueryError }
        #expect(refusal?.code == .tooCostly && refusal?.parameter == "format")
    }

    @Test("have a total where it is asked for, also where nothing of the period is kept")
    func emptyWithTotals() throws {
        let store = FakeStore(ladder: try Ladder(parsing: "1m:1h"))
        for descending in ["true", "false"] {
            let answer = try store.plotpoints(
                [
                    "period": .string("1000-2000"), "with_totals": .string("true"),
                    "descending": .string(descending),
                ], now: Self.now)
            #expect(answer["_"]?["hits"] == .array([.array([.string("Total"), .number("0")])]))
        }
    }
}
