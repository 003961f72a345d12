import Testing

@testable import HailAgent

@Suite("Command")
struct CommandTests {
    @Test(
        "that is wrong ends with 64 and says why",
        arguments: [
            ([], "a command is missing"), (["walk"], "unknown command \"walk\""), (["--walk"], "unknown command"),
            (["keygen"], "keygen is not in this version"), (["pixel", "a:1|c"], "pixel is not in this version"),
            (["query", "spy"], #"unexpected argument "spy""#),
            (["query", "totals", "--plot"], "unexpected argument \"--plot\""),
            (["tail", "--last", "many"], "from 0 to 1000"), (["query"], "totals, plotpoints or rank"),
            (["query", "sums"], "unexpected argument \"sums\""),
            (["query", "totals", "x"], "unexpected argument \"x\""),
            (["query", "totals", "--period", "1m:1h"], "unexpected argument \"--period\""),
            (["query", "plotpoints", "--periods", "1m:1h"], "unexpected argument \"--periods\""),
            (["query", "totals", "--json", "--csv"], "unexpected argument \"--csv\""),
            (["query", "totals", "--json=1"], "unexpected argument \"--json=1\""),
            (["query", "totals", "--pk"], "--pk needs a value"),
            (["query", "totals", "--pk", "--json"], "needs a value"),
            (["query", "totals", "--pk", "a", "--pk", "b"], "more than once"),
            (["query", "totals", "-x"], "unknown option"),
            (["query", "totals", "--agent", "https://a"], "--agent \"https://a\" is refused; allowed: http://"),
            (["query", "totals", "--agent", "http://a/b"], "is refused"),
            (["query", "totals", "--agent", "a:1"], "is refused"),
            (["send", "--to", "127.0.0.1"], "--to \"127.0.0.1\" is refused; allowed: HOST:PORT"),
            (["send", "--to", "h:0"], "is refused"), (["send", "--to", "unix:x"], "is refused"),
            (["send", "file"], "unexpected"),
            (["send", "--key", "7"], "unknown option"), (["version", "now"], "unexpected argument"),
            (["help", "walk"], "unknown command"), (["help", "keygen"], "not in this version"),
            (["help", "run", "x"], "unexpected"),
            (["run", "--window", "0"], "--window \"0\" is refused; allowed: 0.1 to 60 seconds"),
            (["check", "--walk"], "unknown option \"--walk\""), (["run", "x\nlevel=error"], #""x\nlevel=error""#),
        ] as [([String], String)])
    func wrong(arguments: [String], part: String) {
        let stage = Stage()
        #expect(stage.run(arguments) == 64)
        #expect(stage.errorOutput.hasPrefix("hailwhale: "))
        #expect(stage.errorOutput.contains(part), "\(stage.errorOutput)")
        #expect(stage.errorOutput.split(separator: "\n").count == 1)
        #expect(stage.output.isEmpty)
        #expect(stage.ran == nil)
    }

    @Test("run hands its options to the agent and ends with its exit code")
    func run() {
        let stage = Stage()
        stage.environment = ["HAILWHALE_LOG": "debug"]
        stage.files = ["/c": #"{"max-values": 5}"#]
        #expect(stage.run("run", "--config", "/c", "--window", "2") == 7)
        #expect(stage.ran?.windowMilliseconds == 2_000)
        #expect(stage.ran?.logLevel == .debug)
        #expect(stage.ran?.maxValues == 5)
    }

    @Test("hands the agent a way to read its options again, under the same flags")
    func reread() throws {
        let stage = Stage()
        stage.files = ["/c": #"{"window":2,"log":"error"}"#]
        #expect(stage.run("run", "--config", "/c", "--log", "debug") == 7)
        let reread = try #require(stage.reread)
        stage.files = ["/c": #"{"window":3,"log":"warning"}"#]
        let options = try reread()
        #expect(options.windowMilliseconds == 3_000 && options.logLevel == .debug)
        stage.files = ["/c": #"{"window":99}"#]
        #expect(throws: OptionError.self) { try reread() }
    }

    @Test("check says what is wrong with the store")
    func check() {
        let stage = Stage()
        #expect(stage.run("check") == 0)
        #expect(stage.output == "options and store embedded are in order\n")
        stage.faults = ["maxmemory-policy is allkeys-lru; it must be noeviction", "the store is not durable"]
        #expect(stage.run("check", "--store", "redis://u:secret@h:1") == 1)
        #expect(stage.errorOutput.split(separator: "\n").count == 2)
    }

    @Test("version and help answer on stdout", arguments: [["version"], ["--version"]])
    func version(arguments: [String]) {
        let stage = Stage()
        #expect(stage.run(arguments) == 0)
        #expect(stage.output == "hailwhale \(Version.text)\n")
    }

    @Test("help lists every command, and for run every option with its variable, its default and what is allowed")
    func help() {
        let stage = Stage()
        #expect(stage.run("help") == 0)
        for command in Command.all { #expect(stage.output.contains("hailwhale \(command.name) ")) }
        for name in Command.all.map(\.name) { #expect(stage.run("help", name) == 0) }
        let run = Stage()
        #expect(run.run("run", "--window", "wrong", "--help") == 0)
        for option in RunOption.all {
            #expect(run.output.contains(option.isFileOnly ? "\"\(option.name)\"" : "--\(option.name)"))
            #expect(run.output.contains(option.allowed))
            if let standard = option.standard { #expect(run.output.contains("default: \(standard)")) }
            if !option.isFileOnly { #expect(run.output.contains(RunOption.variable(of: option.name))) }
        }
    }
}
