import Dispatch
import Glibc
import HailCore
import Testing

@testable import HailAgent

@Suite("Query command")
struct QueryCommandTests {
    private func stage(_ body: String, status: Int = 200) -> Stage {
        let stage = Stage()
        stage.answer = .success(FetchAnswer(status: status, body: Array(body.utf8)))
        return stage
    }

    @Test("asks with the parameters as they were given")
    func parameters() {
        let stage = stage("{}")
        #expect(stage.run("query", "totals") == 0)
        #expect(
            stage.run(
                "query", "plotpoints", "--agent", "http://[::1]:9/", "--pk", #"["Product",42]"#,
                "--metrics=dollars/hits",
                "--sort", "-dollars", "--tz", "+0200", "--dimensions", "é&x=1") == 0)
        #expect(
            stage.targets == [
                "http://127.0.0.1:8085/totals",
                "http://[::1]:9/plotpoints?pk=%5B%22Product%22%2C42%5D&dimensions=%C3%A9%26x%3D1"
                    + "&metrics=dollars%2Fhits&tz=%2B0200&sort=-dollars",
            ])
    }

    private static let totals = """
        {"1d:1mo":{"_":{"dollars":200,"dollars/hits":66.5},"[\\"country\\",\\"US\\"]":{"dollars":-1200.5}},
         "1h:1d":{"_":{"dollars":0,"dollars/hits":0}},"truncated_before":1700000000}
        """

    @Test("shows totals as a table")
    func table() {
        let stage = stage(Self.totals)
        #expect(stage.run("query", "totals") == 0)
        #expect(
            stage.output == """
                period  dimension   dollars  dollars/hits
                1d:1mo  _               200          66.5
                1d:1mo  country>US  -1200.5
                1h:1d   _                 0             0

                """)
        #expect(stage.errorOutput == "hailwhale: truncated_before: 1700000000\n")
    }

    @Test("shows metrics whose names differ in their bytes alone side by side")
    func spellings() {
        let stage = stage(#"{"_":{"\u00e9":[[0,1]],"e\u0301":[[0,2]]}}"#)
        #expect(stage.run("query", "plotpoints", "--csv") == 0)
        #expect(
            Array(stage.output.utf8)
                == Array("time,dimension,\u{E9},e\u{301}\n1970-01-01T00:00:00Z,_,1,2\n".utf8))
        let totals = self.stage(#"{"all":{"_":{"\u00e9":1,"e\u0301":2}}}"#)
        #expect(totals.run("query", "totals", "--csv") == 0)
        #expect(totals.output.hasSuffix("all,_,1,2\n"))
    }

    @Test("shows plotpoints by instant, in the order of the answer")
    func plotpoints() {
        let stage = stage(#"{"b":{"hits":[[0,1],[60000,2.5]],"x":[[0,3],[60000,4]]},"a":{"hits":[[1582934400500,9]]}}"#)
        #expect(stage.run("query", "plotpoints", "--csv") == 0)
        #expect(
            stage.output == """
                time,dimension,hits,x
                1970-01-01T00:00:00Z,b,1,3
                1970-01-01T00:01:00Z,b,2.5,4
                2020-02-29T00:00:00.500Z,a,9,

                """)
    }

    private static let ranking = """
        {"b":{"score":80,"value":80,"count":80,"difference":0.66,"effect":80,"important":true},
         "[\\"a\\", \\"x\\"]":{"score":-1,"value":-1,"count":1,"difference":0,"effect":-1,"important":false},
         "truncated_before":1700000000}
        """

    @Test("shows a ranking as a table and as CSV")
    func ranking() {
        let table = stage(Self.ranking)
        #expect(table.run("query", "rank", "--metrics", "value", "--recursive", "false", "--period", "all") == 0)
        #expect(
            table.output == """
                dimension  score  value  count  difference  effect  important
                b             80     80     80        0.66      80       true
                a>x           -1     -1      1           0      -1      false

                """)
        #expect(table.targets == ["http://127.0.0.1:8085/rank?metrics=value&period=all&recursive=false"])
        #expect(table.errorOutput == "hailwhale: truncated_before: 1700000000\n")
        let csv = stage(Self.ranking)
        #expect(csv.run("query", "rank", "--csv") == 0)
        #expect(
            csv.output.hasPrefix("dimension,score,value,count,difference,effect,important\nb,80,80,80,0.66,80,true\n"))
    }

    @Test(
        "refuses what the call does not take",
        arguments: [
            ["rank", "--depth", "1"], ["rank", "--periods", "all"], ["rank", "--plot"], ["totals", "--period", "all"],
            ["totals", "--recursive", "true"], ["plotpoints", "--prune_parents", "true"],
            ["plotpoints", "--periods", "all"],
            ["totals", "--plot"], ["ranks"], ["rank", "rank"],
        ])
    func foreign(words: [String]) {
        let stage = stage("{}")
        #expect(stage.run(["query"] + words) == 64)
        #expect(stage.targets.isEmpty)
    }

    @Test("prints JSON as it came")
    func json() {
        let stage = stage(Self.totals)
        #expect(stage.run("query", "totals", "--json") == 0)
        #expect(stage.output == Self.totals + "\n")
    }

    @Test("quotes for CSV and disarms for the terminal")
    func hostile() {
        let body = #"{"1h:1d":{"a,\"b\"\n":{"\u001b[2Jhits":1}}}"#
        let csv = stage(body)
        #expect(csv.run("query", "totals", "--csv") == 0)
        #expect(csv.output == "period,dimension,\u{1B}[2Jhits\n1h:1d,\"a,\"\"b\"\"\n\",1\n")
        let table = stage(body)
        #expect(table.run("query", "totals") == 0)
        #expect(!table.output.contains("\u{1B}"))
        #expect(table.output.split(separator: "\n").count == 2)
    }

    @Test(
        "ends with 1 where the agent refuses or answers something else",
        arguments: [
            (
                400, #"{"error":{"code":"bad_period","param":"period","message":"No such\nperiod."}}"#,
                #"bad_period: "No such\nperiod.""#
            ),
            (500, "<html>", "status 500 and no JSON"), (200, "<html>", "status 200 and no JSON"), (200, "", "no JSON"),
            (200, "[]", "no table"), (200, #"{"a":{"b":{"c":{"d":1}}}}"#, "no table"),
            (200, #"{"a":{"hits":[[1]]}}"#, "no table"), (200, #"{"a":{"hits":[["x",1]]}}"#, "no table"),
            (200, #"{"a":{"hits":5},"1h:1d":{"_":{"hits":5}}}"#, "no table"), (403, "{}", "status 403"),
        ])
    func refused(status: Int, body: String, part: String) {
        let stage = stage(body, status: status)
        #expect(stage.run("query", "totals") == 1)
        #expect(stage.errorOutput.contains(part), "\(stage.errorOutput)")
        #expect(stage.output.isEmpty)
    }

    @Test("ends with 69 where no agent answers")
    func unavailable() {
        let stage = Stage()
        #expect(stage.run("query", "totals") == 69)
        #expect(stage.errorOutput == "hailwhale: http://127.0.0.1:8085 cannot be reached: Connection refused\n")
    }

    @Test("asks over a real socket")
    func socket() throws {
        let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = try Loopback.bind(listener)
        try #require(listen(listener, 1) == 0)
        let served = DispatchGroup()
        DispatchQueue.global().async(group: served) {
            let connection = accept(listener, nil, nil)
            let request = BlockingIO.read(from: connection) ?? []
            let body = String(decoding: request, as: UTF8.self).split(separator: "\r\n").first ?? ""
            BlockingIO.writeAll(
                Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8), to: connection)
            close(connection)
        }
        let agent = try #require(AgentURL(parsing: "http://127.0.0.1:\(port)"))
        let answer = try CommandSocket.get(agent, "/totals?pk=a")
        served.wait()
        close(listener)
        #expect(answer == FetchAnswer(status: 200, body: Array("GET /totals?pk=a HTTP/1.0".utf8)))
        #expect(throws: SystemError.self) { try CommandSocket.get(agent, "/totals") }
    }
}
