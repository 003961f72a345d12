import HailCore
import HailNet
import HailStore
import Testing

@testable import HailAgent

@Suite("Agent options")
struct AgentOptionsTests {
    static func parse(
        _ arguments: [String] = [], environment: [String: String] = [:], file: String? = nil
    ) throws(OptionError) -> AgentOptions {
        var options = try AgentOptions.parse(
            arguments: file == nil ? arguments : ["--config", "/etc/hw.json"] + arguments, environment: environment,
            readFile: { path throws(SystemError) in
                guard let file, path == "/etc/hw.json" else { throw SystemError(reason: "No such file") }
                return Array(file.utf8)
            })
        // What is compared are values, wherever they came from.
        options.given = [:]
        return options
    }

    @Test("are the defaults where nothing is given")
    func defaults() throws {
        var expected = try AgentOptions()
        expected.sketches = [
            Resolution(widthSeconds: 60, keptSeconds: 86_400),
            Resolution(widthSeconds: 3_600, keptSeconds: 31 * 86_400),
            Resolution(widthSeconds: 86_400, keptSeconds: 2 * 365 * 86_400),
        ]
        #expect(try Self.parse() == expected)
        #expect(expected.udp.map(\.description) == ["127.0.0.1:8125"])
        #expect(expected.ladder.text == "10s:3600s,60s:86400s,3600s:2678400s,86400s:63072000s")
        #expect(expected.pendingLimitBytes == 268_435_456)
        #expect(expected.spoolLimitBytes == 1_073_741_824)
    }

    @Test("by flag win over the environment, and that over the file")
    func precedence() throws {
        let file = #"{"window": 3, "log": "debug", "max-series": 7}"#
        let environment = ["HAILWHALE_WINDOW": "2", "HAILWHALE_LOG": "error", "HAILWHALE_MAX_VALUES": ""]
        let options = try Self.parse(["--window", "0.25"], environment: environment, file: file)
        #expect(options.windowMilliseconds == 250)
        #expect(options.logLevel == .error)
        #expect(options.maxSeries == 7)
        #expect(options.maxValues == 1_000)
        #expect(options.configPath == nil || options.configPath == "/etc/hw.json")
    }

    @Test("keep the days of zones beside those of UTC, as far as there are such zones")
    func zones() throws {
        func parse(_ arguments: String..., environment: [String: String] = [:]) throws -> AgentOptions {
            try AgentOptions.parse(
                arguments: arguments, environment: environment,
                readFile: { path throws(SystemError) in try BlockingIO.readFile(path, limitBytes: 1 << 18) })
        }
        let options = try parse("--zones", "Europe/Berlin, UTC,Asia/Kathmandu")
        #expect(options.zones == ["UTC", "Asia/Kathmandu", "Europe/Berlin"])
        #expect(options.ladder.resolutions.count == 5 && options.keptLadder.resolutions.count == 7)
        #expect(options.keptLadder.resolutions.map { $0.zone?.name }[4...] == ["Asia/Kathmandu", "Europe/Berlin", nil])
        #expect(options.keptLadder.text == options.ladder.text)
        #expect(try parse("--zones", "Etc/UTC").keptLadder == options.ladder)
        func refusal(_ arguments: String..., environment: [String: String] = [:]) -> String {
            do {
                _ = try AgentOptions.parse(
                    arguments: arguments, environment: environment,
                    readFile: { path throws(SystemError) in try BlockingIO.readFile(path, limitBytes: 1 << 18) })
                return "none"
            } catch { return "\(error)" }
        }
        #expect(refusal("--zones", "UTC,Mars/Olympus").contains(#""Mars/Olympus" is no known time zone"#))
        #expect(refusal("--zones", "../Mars").contains("IANA names"))
        #expect(
            refusal("--zones", "Europe/Berlin", environment: ["TZDIR": "/none"]).contains("no time zone data in /none"))
        #expect(refusal("--zones", "Europe/Berlin", "--resolutions", "1m:1d").contains("whole days"))
        // Hours would lie in two days of Nepal.
        #expect(
            refusal("--zones", "Asia/Kathmandu", "--resolutions", "1h:1d,1d:2y").contains("multiples of the finest"))
        #expect(refusal("--zones", "Europe/Berlin", "--resolutions", "1h:1d,1d:2y") == "none")
    }

    @Test("name the file by flag or by the environment")
    func config() throws {
        let read: AgentOptions.FileReader = { path throws(SystemError) in Array(#"{"data":"\#(path).d"}"#.utf8) }
        let environment = ["HAILWHALE_CONFIG": "/a"]
        #expect(try AgentOptions.parse(arguments: [], environment: environment, readFile: read).dataPath == "/a.d")
        let both = try AgentOptions.parse(arguments: ["--config=/b"], environment: environment, readFile: read)
        #expect(both.dataPath == "/b.d")
        #expect(both.configPath == "/b")
    }

    @Test("take every option by flag, by variable and by key")
    func everywhere() throws {
        let examples: [String: String] = [
            "udp": "[::1]:0", "tcp": "127.0.0.1:0", "http": "none", "store": "redis://h:6379", "data": "/d",
            "window": "0.5",
            "resolutions": "1m:1d", "sketches": "none", "zones": "UTC", "plain": "none", "read": "any",
            "host": "a.example", "cors": "https://a.example", "audience": "9", "gauge-sign": "delta",
            "max-series": "5", "max-values": "6", "pending-limit": "2M", "spool-limit": "3M", "lanes": "4",
            "log": "debug",
        ]
        for option in RunOption.all
        where !option.isFileOnly && !["config", "keys"].contains(option.name) && option.shape != .toggle {
            let text = try #require(examples[option.name], "\(option.name) has no example")
            let byFlag = try Self.parse(["--\(option.name)", text])
            #expect(try byFlag != Self.parse() || option.name == "zones", "\(option.name)")
            #expect(try Self.parse(["--\(option.name)=\(text)"]) == byFlag)
            #expect(try Self.parse(environment: [RunOption.variable(of: option.name): text]) == byFlag)
            var byKey = try Self.parse(file: #"{"\#(option.name)": "\#(text)"}"#)
            byKey.configPath = nil
            #expect(byKey == byFlag)
        }
    }

    @Test("are read into their units")
    func units() throws {
        let options = try Self.parse([
            "--udp", "127.0.0.1:0", "--udp=[::1]:8125", "--udp", "unix:/run/hw.sock", "--udp",
            "localhost:9,127.0.0.1:0",
            "--window", "60", "--pending-limit", "1T", "--spool-limit", "1048576", "--host", "A.example, [::2]",
            "--cors", "HTTPS://A.example:8443,http://b", "--resolutions", "1h:31d,1m:1d", "--lanes", "cores",
            "--store", "redis://us%65r:p%40ss@[::1]:7000/3", "--migrate", "--audience", "4294967295",
        ])
        #expect(
            options.udp.map(\.description)
                == ["127.0.0.1:0", "[::1]:8125", "unix:/run/hw.sock", "127.0.0.1:9", "127.0.0.1:0"])
        #expect(options.windowMilliseconds == 60_000)
        #expect(options.pendingLimitBytes == 1 << 40)
        #expect(options.spoolLimitBytes == 1 << 20)
        #expect(options.hosts == ["a.example", "[::2]"])
        #expect(options.corsOrigins == ["https://a.example:8443", "http://b"])
        #expect(options.ladder.text == "60s:86400s,3600s:2678400s")
        #expect(options.sketches.map(\.widthSeconds) == [60, 3_600])
        #expect(options.lanes == nil)
        #expect(options.isMigrating)
        #expect(options.audience == .max)
        let store = try StoreURL(parsing: "redis://user:p%40ss@[::1]:7000/3")
        #expect(options.store == store)
        guard case .tcp("::1", 7000, let login, 3) = options.store else {
            Issue.record("the store was read as \(options.store)")
            return
        }
        #expect(login?.user == "user" && login?.password == "p@ss")
        #expect(!"\(options.store)".contains("p@ss"))
    }

    @Test("take lists of names from the file alone")
    func fileOnly() throws {
        let file = #"{"views":[["country","plan"],["a","b","c"]],"drop_dimensions":["host","pod,name"],"migrate":true}"#
        let options = try Self.parse(file: file)
        #expect(options.views == [["a", "b", "c"], ["country", "plan"]])
        #expect(options.dropDimensions == ["host", "pod,name"])
        #expect(options.isMigrating)
        #expect(throws: OptionError.unknownFlag("--views")) { try Self.parse(["--views", "a,b"]) }
    }

    @Test(
        "are refused by flag with the name, the value and what is allowed",
        arguments: [
            ("window", "0"), ("window", "0.099"), ("window", "60.001"), ("window", "1.0001"), ("window", "1."),
            ("window", ".5"), ("window", "-1"), ("window", "1e1"), ("window", "one"), ("window", ""),
            ("window", "1,5"), ("udp", "8125"), ("udp", "127.0.0.1"), ("udp", "127.0.0.1:"), ("udp", "127.0.0.1:65536"),
            ("udp", "::1:8125"), ("udp", "[::1]"), ("udp", "[127.0.0.1]:1"), ("udp", "example.com:1"), ("udp", ":8125"),
            ("udp", "unix:"), ("udp", "unix:relative"), ("udp", ""), ("udp", "none,127.0.0.1:1"),
            ("udp", "127.0.0.1:1,127.0.0.1:1"), ("udp", "256.0.0.1:1"), ("udp", "127.0.0.1:+1"),
            ("http", "http://127.0.0.1:1"), ("http", "unix:/" + String(repeating: "x", count: 107)),
            ("store", "redis"), ("store", "redis://"), ("store", "redis://h:0"),
            ("store", "redis://h:1/x"), ("store", "redis://user@h:1"),
            ("store", "redis://u:%zz@h:1"), ("store", "redis+unix://relative"), ("store", "redis+unix:///"),
            ("store", "redis-cluster://"), ("store", "redis-cluster://a:1,"), ("store", "REDIS://h:1"), ("store", ""),
            ("data", ""), ("keys", ""), ("keys", "/k"), ("resolutions", ""), ("resolutions", "1m"),
            ("resolutions", "1m:1d,"),
            ("resolutions", "0s:1d"), ("resolutions", "1d:1h"), ("resolutions", "7s:1h,10s:1h"),
            ("resolutions", "1m:1d,60s:2d"), ("resolutions", "1000d:2y"), ("sketches", "5m:1d"), ("sketches", ""),
            ("sketches", "1m"), ("zones", "Europe/Berlin"), ("zones", "UTC,UTC"), ("zones", ""), ("plain", "all"),
            ("plain", "Loopback"), ("read", ""), ("host", "a.example:80"), ("host", "a b"), ("host", "a,,b"),
            ("host", "*"), ("cors", "*"), ("cors", "a.example"), ("cors", "https://a.example/"), ("cors", "null"),
            ("cors", "ftp://a"), ("audience", "-1"), ("audience", "4294967296"), ("audience", "0x1"),
            ("gauge-sign", "both"), ("max-series", "0"), ("max-series", "1e6"), ("max-series", "100000001"),
            ("max-series", "99999999999999999999"), ("max-values", "0"), ("pending-limit", "1023K"),
            ("pending-limit", "1 G"), ("pending-limit", "1g"), ("pending-limit", "1025T"), ("pending-limit", "G"),
            ("spool-limit", "99999999999999999T"), ("spool-limit", "9999999999999999T"), ("lanes", "0"),
            ("lanes", "257"), ("lanes", "all"), ("log", "trace"), ("log", "INFO"), ("migrate", "maybe"),
        ])
    func wrong(name: String, text: String) throws {
        let error = #expect(throws: OptionError.self) { try Self.parse(["--\(name)=\(text)"]) }
        guard case .wrongValue(let option, .flag, let value, let allowed) = error else {
            Issue.record("--\(name)=\(text): \(String(describing: error))")
            return
        }
        #expect(option == name)
        #expect(value == StoreURL.withoutPassword(text) || text.contains(value))
        #expect(!allowed.isEmpty)
        #expect(error.map { "\($0)".hasPrefix("--\(name) ") } == true)
    }

    @Test("are refused with the reason that resolutions have")
    func ladders() {
        let cases = [
            ("1m:1d,1m:2d", "each width once"), ("7s:1h,10s:1h", "7 does not divide 10"), ("1d:1h", "kept at least"),
            ("1x:1h", "\"1x:1h\" is none"),
            ("1s:1h,2s:1h,4s:1h,8s:1h,16s:1h,32s:1h,64s:1h,128s:1h,256s:1h", "these are 9"),
            ("367d:3y", "is longer"),
        ]
        for (text, reason) in cases {
            let error = #expect(throws: OptionError.self) { try Self.parse(["--resolutions", text]) }
            #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
        }
    }

    @Test("never show a store's password when they are refused")
    func secrets() throws {
        let sources: [([String], [String: String], String?)] = [
            (["--store", "redis://u:secret@h:0"], [:], nil), ([], ["HAILWHALE_STORE": "redis://u:secret@h:x"], nil),
            ([], [:], #"{"store":"redis://:secret@"}"#), ([], [:], #"{"store":["redis://u:secret@h:1"]}"#),
        ]
        for (arguments, environment, file) in sources {
            let error = #expect(throws: OptionError.self) {
                try Self.parse(arguments, environment: environment, file: file)
            }
            #expect(error.map { "\($0)".contains("secret") } == false)
        }
    }

    @Test(
        "are refused where the flags are no flags",
        arguments: [
            (["--windows", "1"], OptionError.unknownFlag("--windows")), (["-w", "1"], .unknownFlag("-w")),
            (["--"], .unknownFlag("--")), (["--drop_dimensions", "a"], .unknownFlag("--drop_dimensions")),
            (["--max_series", "1"], .unknownFlag("--max_series")), (["window"], .unexpectedArgument("window")),
            ([""], .unexpectedArgument("")), (["--window"], .missingValue(flag: "--window")),
            (["--window", "--log"], .missingValue(flag: "--window")),
            (["--window", "1", "--window", "1"], .repeatedFlag("--window")),
            (["--migrate", "--migrate"], .repeatedFlag("--migrate")),
            (["--udp", "none", "--http", "none"], .nothingToDo),
            (["--config", "/missing"], .unreadableFile(path: "/missing", reason: "No such file")),
        ])
    func flags(arguments: [String], error: OptionError) {
        #expect(throws: error) { try Self.parse(arguments) }
    }

    @Test(
        "are refused where the file is wrong",
        arguments: [
            (#"{"windows":1}"#, "unknown key \"windows\""), (#"{"max_series":1}"#, "unknown key"),
            (#"{"config":"/x"}"#, "unknown key"), (#"{"drop-dimensions":[]}"#, "unknown key"), ("[]", "no JSON object"),
            ("{", "ends too early"), ("", "it is empty"), (#"{"window":"x"}"#, "\"window\": \"x\""),
            (#"{"window":true}"#, "allowed: 0.1"), (#"{"window":[1]}"#, "allowed: 0.1"),
            (#"{"window":null}"#, "allowed"),
            (#"{"log":5}"#, "allowed: error"), (#"{"udp":[1]}"#, "allowed: none"), (#"{"udp":[]}"#, "allowed: none"),
            (#"{"udp":["none","127.0.0.1:1"]}"#, "allowed: none"), (#"{"migrate":"yes"}"#, "allowed: yes"),
            (#"{"migrate":1}"#, "allowed: yes"), (#"{"views":["a","b"]}"#, "different dimension names"),
            (#"{"views":[["a"]]}"#, "different"), (#"{"views":[["a","a"]]}"#, "different"),
            (#"{"views":[["a","_"]]}"#, "different"), (#"{"views":[["a","b×c"]]}"#, "different"),
            (#"{"views":[["a","b,c"]]}"#, "different"), (#"{"views":[["a",1]]}"#, "different"),
            (#"{"views":[["a","b"],["a","b"]]}"#, "different"), (#"{"views":"a,b"}"#, "different"),
            (#"{"drop_dimensions":[""]}"#, "dimension names"), (#"{"drop_dimensions":[1]}"#, "dimension names"),
            (#"{"drop_dimensions":["a\n"]}"#, "dimension names"),
        ])
    func files(file: String, part: String) {
        let error = #expect(throws: OptionError.self) { try Self.parse(file: file) }
        #expect(error.map { "\($0)".contains(part) } == true, "\(String(describing: error))")
    }

    @Test("are refused from the environment by the variable's name")
    func environment() {
        let error = #expect(throws: OptionError.self) { try Self.parse(environment: ["HAILWHALE_MAX_SERIES": "many"]) }
        #expect(error.map { "\($0)".hasPrefix("HAILWHALE_MAX_SERIES=\"many\" is refused; allowed: ") } == true)
    }
}
