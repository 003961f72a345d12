import Testing

@testable import HailAgent

@Suite("Tail command")
struct TailCommandTests {
    private static let events = """
        [{"number":9,"at":1700000000.25,"line":"c.d:2|c"},{"number":7,"at":1700000000,"line":"a.b:1|c|#x:\\u001b[31m"}]
        """

    private func stage(_ body: String, status: Int = 200) -> Stage {
        let stage = Stage()
        stage.answer = .success(FetchAnswer(status: status, body: Array(body.utf8)))
        return stage
    }

    @Test("prints the last events, oldest first, and lets nothing control the terminal")
    func printing() {
        let stage = stage(Self.events)
        #expect(stage.run("tail", "--no-follow", "--pk", "a b") == 0)
        let lines = stage.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("2023-11-14T22:13:20Z ") == true)
        #expect(lines.first?.contains("a.b:1|c|#x:") == true)
        #expect(lines.last == "2023-11-14T22:13:20.250Z c.d:2|c")
        #expect(!stage.output.contains("\u{1B}"))
        #expect(stage.targets == ["http://127.0.0.1:8085/spy?after=0&limit=1000&pk=a%20b"])
    }

    @Test("begins with as many as it is told", arguments: [("0", 0), ("1", 1), ("1000", 2)])
    func last(count: String, printed: Int) {
        let stage = stage(Self.events)
        #expect(stage.run("tail", "--no-follow", "--last", count) == 0)
        #expect(stage.output.split(separator: "\n").count == printed)
    }

    @Test(
        "refuses wrong arguments",
        arguments: [
            ["--last", "-1"], ["--last", "1001"], ["--last", "x"], ["--agent", "127.0.0.1"], ["now"], ["--nofollow"],
        ])
    func wrong(arguments: [String]) {
        #expect(stage(Self.events).run(["tail"] + arguments) == 64)
    }

    @Test("says why an agent does not answer")
    func failures() {
        let away = Stage()
        #expect(away.run("tail", "--no-follow") == 69)
        let refused = stage(#"{"error":{"code":"not_trusted","message":"no"}}"#, status: 403)
        #expect(refused.run("tail", "--no-follow") == 1)
        #expect(refused.errorOutput.contains("not_trusted"))
        #expect(stage("[{}]").run("tail", "--no-follow") == 0)
    }
}
