import Testing

@testable import HailClient

@Suite("Client's questions")
struct HailClientReadsTests {
    private static func answered(_ body: String, status: String = "200 OK") -> AnswerServer {
        AnswerServer(.say("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"))
    }

    private static func client(_ server: AnswerServer, timeoutSeconds: Double = 600) -> HailClient {
        HailClient(host: "127.0.0.1", httpPort: server.port, options: HailOptions(timeoutSeconds: timeoutSeconds))
    }

    @Test("reads totals by period, dimension and metric")
    func totals() async throws {
        let server = Self.answered(
            #"{"1m:3d":{"_":{"a":1,"b/a":2.5},"[\"geo\", \"US\"]":{"a":-3e2,"b/a":0}},"#
                + #""all":{"_":{"a":7,"b/a":1}},"truncated_before":{"1m:3d":1795385820}}"#)
        let totals = try await Self.client(server).totals(of: "x")
        #expect(totals.all.map(\.value) == [1, 2.5, -300, 0, 7, 1])
        #expect(totals["a"] == 1)
        #expect(totals["a", period: "all"] == 7)
        #expect(totals["b/a", "geo", "US"] == 0)
        #expect(totals["a", "geo"] == nil)
        #expect(totals["a", "geo", "US", period: "all"] == nil)
        #expect(totals.truncatedBefore == ["1m:3d": 1_795_385_820])
    }

    @Test("tells names apart by their bytes")
    func bytes() async throws {
        let server = Self.answered("{\"all\":{\"\u{E9}\":{\"n\":1},\"e\u{301}\":{\"n\":2}}}")
        let totals = try await Self.client(server).totals(of: "x")
        #expect(totals["n", "\u{E9}"] == 1)
        #expect(totals["n", "e\u{301}"] == 2)
    }

    @Test("reads the points and the total of each series, in the order of the answer")
    func plotpoints() async throws {
        let server = Self.answered(
            #"{"_":{"n":[[1000,1],[2000,2.5],["Total",3.5]]},"[\"a\", \"b\"]":{"n":[["Total",0]]},"#
                + #""truncated_before":5}"#)
        let plot = try await Self.client(server).plotpoints(of: "x")
        #expect(plot.series.map(\.dimension) == [[], ["a", "b"]])
        #expect(plot["n"]?.points.map(\.milliseconds) == [1_000, 2_000])
        #expect(plot["n"]?.points.map(\.value) == [1, 2.5])
        #expect(plot["n"]?.total == 3.5)
        #expect(plot["n", "a", "b"]?.points == [])
        #expect(plot["m"] == nil)
        #expect(plot.truncatedBefore == 5)
    }

    @Test("says what the agent refuses, with the parameter")
    func refused() async {
        let server = Self.answered(
            #"{"error":{"code":"bad_period","param":"periods","message":"No such period."}}"#, status: "400 Bad Request"
        )
        let refusal = HailError.Refusal(
            status: 400, code: "bad_period", parameter: "periods", message: "No such period.")
        await #expect(throws: HailError.refused(refusal)) {
            try await Self.client(server).totals(of: "x", periods: ["never"])
        }
    }

    @Test(
        "refuses what is no answer of an agent",
        arguments: [
            "[]", "{", "null", #"{"all":1}"#, #"{"all":{"_":[]}}"#, #"{"all":{"_":{"n":"1"}}}"#,
            #"{"all":{"_":{"n":null}}}"#,
        ])
    func badTotals(body: String) async {
        let server = Self.answered(body)
        await #expect(throws: HailError.self) { try await Self.client(server).totals(of: "x") }
    }

    @Test(
        "refuses series that are none",
        arguments: [
            "[]", #"{"_":{"n":{}}}"#, #"{"_":{"n":[[1,2]]}}"#, #"{"_":{"n":[[1],["Total",1]]}}"#,
            #"{"_":{"n":[[1,null],["Total",1]]}}"#,
        ])
    func badPlot(body: String) async {
        let server = Self.answered(body)
        await #expect(throws: HailError.self) { try await Self.client(server).plotpoints(of: "x") }
    }

    @Test("refuses a page of HTML, and an error that says nothing", arguments: ["<html>", "{}", #"{"error":{}}"#])
    func badRefusal(body: String) async {
        let server = Self.answered(body, status: "502 Bad Gateway")
        await #expect {
            try await Self.client(server).totals(of: "x")
        } throws: { error in
            guard case .badAnswer(let reason) = error as? HailError else { return false }
            return reason.contains("502")
        }
    }

    @Test("gives up after its time-out")
    func timeout() async {
        let server = AnswerServer(.stall)
        await #expect(throws: HailError.timedOut) {
            try await Self.client(server, timeoutSeconds: 0.1).totals(of: "x")
        }
    }

    @Test("gives up when its task is cancelled")
    func cancelled() async {
        let server = AnswerServer(.stall)
        let client = Self.client(server)
        let asking = Task { try await client.totals(of: "x") }
        asking.cancel()
        await #expect(throws: HailError.cancelled) { try await asking.value }
    }

    @Test("says that nobody answers", arguments: ["127.0.0.1", "no-such-host.invalid", "\0"])
    func unreachable(host: String) async {
        let client = HailClient(host: host, httpPort: AnswerServer.deadPort())
        await #expect {
            try await client.totals(of: "x")
        } throws: { error in
            if case .unreachable = error as? HailError { true } else { false }
        }
    }

    @Test("asks a few at a time, and answers all")
    func many() async throws {
        let body = #"{"all":{"_":{"n":1}}}"#
        let server = AnswerServer(
            .say("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"), connections: 100)
        let client = Self.client(server)
        let sum = try await withThrowingTaskGroup(of: Double.self) { group in
            for _ in 0..<100 { group.addTask { try await client.totals(of: "x")["n"] ?? 0 } }
            return try await group.reduce(0, +)
        }
        #expect(sum == 100)
    }
}
