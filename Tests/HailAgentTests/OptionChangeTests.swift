import HailNet
import Testing

@testable import HailAgent

@Suite("Option change")
struct OptionChangeTests {
    private func options(_ file: String) throws -> AgentOptions {
        try AgentOptions.parse(arguments: ["--config", "/c"], environment: [:]) { path throws(SystemError) in
            path == "/c" ? Array(file.utf8) : try BlockingIO.readFile(path, limitBytes: 1 << 18)
        }
    }

    private func option(_ name: String) throws -> RunOption { try #require(RunOption.named(name)) }

    /// A value that is another than the default, for each option that a file may hold.
    private static let others = [
        "udp": #""127.0.0.1:1""#, "tcp": #""127.0.0.1:1""#, "http": #""127.0.0.1:1""#, "store": #""redis://h:1""#,
        "data": #""/d""#, "window": "5", "resolutions": #""10s:1h,1m:1d""#, "sketches": #""1h:31d""#,
        "zones": #""UTC,Asia/Kathmandu""#,
        "plain": #""any""#,
        "read": #""any""#, "host": #""a.example""#, "cors": #""https://a.example""#, "audience": "1",
        "gauge-sign": #""delta""#, "views": #"[["a","b"]]"#, "drop_dimensions": #"["a"]"#, "max-series": "5",
        "max-values": "5", "pending-limit": #""1M""#, "spool-limit": #""1M""#, "lanes": "3", "log": #""debug""#,
        "migrate": "true",
    ]

    @Test("is seen for every option, and for that one alone", arguments: others.keys.sorted())
    func seen(name: String) throws {
        let (before, after) = (try options("{}"), try options("{\"\(name)\":\(Self.others[name] ?? "")}"))
        let changed = RunOption.all.filter { !$0.isSame(before, after) }.map(\.name)
        // Sketches are some of the resolutions, so they change along.
        #expect(changed == (name == "resolutions" ? ["resolutions", "sketches"] : [name]))
    }

    @Test("is looked for in every option that there is")
    func complete() {
        // Of these no other value is taken.
        let fixed: Set = ["config", "keys"]
        #expect(Set(RunOption.all.map(\.name)) == fixed.union(Self.others.keys))
    }

    @Test("is none where the same is spelt otherwise")
    func spelling() throws {
        let one = try options(#"{"resolutions":"10s:1h,1m:1d","host":"A.example","pending-limit":"1M","window":"1.0"}"#)
        let other = try options(
            #"{"resolutions":"10s:60m,60s:24h","host":["a.example"],"pending-limit":"1024K","window":1}"#)
        #expect(RunOption.all.filter { !$0.isSame(one, other) }.map(\.name) == [])
    }

    @Test("is copied with what the log shows of it", arguments: others.keys.sorted())
    func copied(name: String) throws {
        var target = try options("{}")
        let source = try options("{\"\(name)\":\(Self.others[name] ?? "")}")
        let option = try option(name)
        option.copy(source, &target)
        #expect(option.isSame(source, target))
        #expect(option.shown(in: target) == option.shown(in: source))
        #expect(option.shown(in: target) != option.shown(in: try options("{}")))
    }

    @Test("shows values as they were given or by default, and no password")
    func shown() throws {
        let given = try options(#"{"store":"redis://u:secret@h:1","views":[["a","b"],["c","d"]],"host":["a","b"]}"#)
        #expect(try option("views").shown(in: given) == "a,b;c,d")
        #expect(try option("host").shown(in: given) == "a,b")
        #expect(try option("tcp").shown(in: given) == "none")
        #expect(try option("window").shown(in: given) == "1")
        #expect(try !option("store").shown(in: given).contains("secret"))
        let other = try options(#"{"store":"redis://u:other@h:1"}"#)
        #expect(try !option("store").isSame(given, other))
    }
}
