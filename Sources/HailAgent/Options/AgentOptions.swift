import HailAggregate
package import HailCore
package import HailNet
import HailSeal
package import HailStore

/// Everything `run` and `check` can be told, checked and in its final units.
package struct AgentOptions: Equatable, Sendable {
    package var configPath: String?
    /// Empty with `none`.
    package var udp: [SocketAddress] = [.ipv4(0x7F00_0001, port: 8125)]
    /// Where lines arrive over stream connections.
    package var tcp: [SocketAddress] = []
    /// Empty with `none`.
    package var http: [SocketAddress] = [.ipv4(0x7F00_0001, port: 8085)]
    package var store = StoreURL.embedded
    package var dataPath = "./hailwhale-data"
    /// 100…60,000.
    package var windowMilliseconds = 1_000
    package var ladder: Ladder
    /// The finite resolutions of `ladder` that keep sketches, as `width:kept`.
    package var sketches: [Resolution] = []
    /// UTC first, the others by name.
    package var zones = ["UTC"]
    /// The folder with the files of time zones.
    package var zonePath = ZoneFolder.standardPath
    /// `ladder`, and the days of `zones` beside those of UTC.
    package private(set) var keptLadder: Ladder
    package var plain = Trust.loopback
    package var read = Trust.loopback
    /// Lower-case; beside `localhost`, `127.0.0.1`, `[::1]`.
    package var hosts: [String] = []
    /// `scheme://host[:port]`, lower-case.
    package var corsOrigins: [String] = []
    package var audience: UInt32 = 0
    package var gaugeSign = GaugeSign.auto
    package var maxSeries = 1_000_000
    package var maxValues = 1_000
    package var pendingLimitBytes = 256 << 20
    package var spoolLimitBytes = 1 << 30
    /// Nil is one a core.
    package var lanes: Int?
    package var logLevel = LogLevel.info
    /// Whether a store that disagrees about what belongs to it is changed instead of refused.
    package var isMigrating = false
    /// Dimensions whose crossing is counted, in the order they are written.
    package var views: [[String]] = []
    /// Dimensions that are forgotten before lines fan out.
    package var dropDimensions: [String] = []
    /// What was given, by the option's name; what is not there has its default.
    var given: [String: GivenOption] = [:]

    /// The defaults.
    ///
    /// - Throws: `LadderError` never in practice: the default ladder is a constant that tests read.
    package init() throws(LadderError) {
        ladder = try Ladder(parsing: Ladder.standardText)
        keptLadder = ladder
    }
}

extension AgentOptions {
    /// When windows close, before the store has shown how long its flushes take.
    var schedule: FlushSchedule {
        FlushSchedule(configuredMillis: Int64(windowMilliseconds), finestSeconds: ladder.finest.widthSeconds)
    }

    /// The largest configuration file, in bytes.
    package static let fileLimitBytes = 1 << 20

    /// Reads a file, or says why it cannot be read.
    package typealias FileReader = @Sendable (_ path: String) throws(SystemError) -> [UInt8]

    /// Puts the options together: flags win over the environment, that over the file.
    ///
    /// An environment variable that is empty counts as not set. A repeated `--udp` or `--http` adds an address;
    /// any other flag may stand once. An option given by flag replaces the list of the environment and the file.
    package static func parse(
        arguments: [String], environment: [String: String], readFile: @escaping FileReader
    ) throws(OptionError) -> AgentOptions {
        let flags = try FlagReader.read(arguments)
        var given: [String: GivenOption] = [:]

        let configVariable = RunOption.variable(of: RunOption.config.name)
        let configPath = flags[RunOption.config.name]?.first ?? environment[configVariable]
        if let configPath, !configPath.isEmpty {
            given = try ConfigFile.read(path: configPath, readFile: readFile)
        }
        for option in RunOption.all where !option.isFileOnly {
            if let text = environment[RunOption.variable(of: option.name)], !text.isEmpty {
                given[option.name] = GivenOption(texts: option.items(of: [text]), source: .environment)
            }
            if let texts = flags[option.name] {
                given[option.name] = GivenOption(texts: option.items(of: texts), source: .flag)
            }
        }
        return try assemble(given, zones: ZoneFolder(ZoneFolder.path(in: environment), readFile: readFile))
    }

    private static func assemble(
        _ given: [String: GivenOption], zones: ZoneFolder
    ) throws(OptionError) -> AgentOptions {
        var options: AgentOptions
        do { options = try AgentOptions() } catch {
            preconditionFailure("the default resolutions are not a ladder: \(error)")
        }
        // In the table's order: sketches are checked against resolutions, which come before them.
        for option in RunOption.all {
            guard let value = given[option.name] ?? option.standardValue else { continue }
            do {
                try option.apply(value, &options)
            } catch {
                throw .wrongValue(
                    option: option.name, source: value.source,
                    value: error.shown ?? value.texts.joined(separator: ","),
                    allowed: error.allowed ?? option.allowed)
            }
        }
        options.given = given
        try options.keepDays(zones)
        guard !options.udp.isEmpty || !options.tcp.isEmpty || !options.http.isEmpty else { throw .nothingToDo }
        return options
    }

    /// Looks up the zones whose days are kept.
    private mutating func keepDays(_ folder: ZoneFolder) throws(OptionError) {
        zonePath = folder.path
        func refusal(_ name: String, _ allowed: String) -> OptionError {
            .wrongValue(option: "zones", source: given["zones"]?.source ?? .standard, value: name, allowed: allowed)
        }
        var rules: [ZoneRules] = []
        for name in zones.dropFirst() {
            do throws(ZoneError) { rules.append(try folder.rules(name)) } catch {
                throw refusal(name, "IANA names of time zones; \(Log.quoted(name)) \(error.reason)")
            }
        }
        do throws(LadderError) {
            keptLadder = try ladder.keepingDays(
                of: rules, nowSeconds: WallClock.seconds, digester: NameDigest.blake2b)
        } catch {
            throw refusal(zones.dropFirst().joined(separator: ","), OptionValue.sentence(error))
        }
    }
}
