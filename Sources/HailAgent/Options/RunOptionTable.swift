import HailCore
import HailNet
import HailStore

extension RunOption {
    /// Every option of `run`, in the order help lists them.
    package static let all: [RunOption] = [config] + places + time + trust + meaning + bounds + running

    static let config = RunOption(
        "config", "FILE", \.configPath, meaning: "JSON with the same keys; unknown keys are refused",
        allowed: "a file's path"
    ) { given, options throws(Refusal) in
        options.configPath = try OptionValue.path(given)
    }

    private static let places = [
        RunOption(
            "udp", "ADDRESS", \.udp, shape: .repeated, standard: "127.0.0.1:8125",
            meaning: "where datagrams arrive; may be given more than once; port 0 is any free port",
            allowed: "none, " + SocketAddress.allowed
        ) { given, options throws(Refusal) in
            options.udp = try OptionValue.addresses(given)
        },
        RunOption(
            "tcp", "ADDRESS", \.tcp, shape: .repeated,
            meaning: "where lines arrive over TCP (or a unix stream socket); may be given more than once",
            allowed: "none, " + SocketAddress.allowed
        ) { given, options throws(Refusal) in
            options.tcp = try OptionValue.addresses(given)
        },
        RunOption(
            "http", "ADDRESS", \.http, shape: .repeated, standard: "127.0.0.1:8085",
            meaning: "where HTTP is answered; may be given more than once; TLS is a reverse proxy's",
            allowed: "none, " + SocketAddress.allowed
        ) { given, options throws(Refusal) in
            options.http = try OptionValue.addresses(given)
        },
        RunOption(
            "store", "URL", \.store, standard: "embedded",
            meaning: "where counts are kept; embedded is a private redis-server under --data",
            allowed: StoreURL.allowed
        ) { given, options throws(Refusal) in
            options.store = try OptionValue.store(given)
        },
        RunOption(
            "data", "DIR", \.dataPath, standard: "./hailwhale-data",
            meaning: "spool and embedded store; created 0700 and locked", allowed: "a folder's path"
        ) { given, options throws(Refusal) in
            options.dataPath = try OptionValue.path(given)
        },
    ]

    private static let time = [
        RunOption(
            "window", "SECONDS", \.windowMilliseconds, standard: "1", change: .reload, meaning: "flush window",
            allowed: "0.1 to 60 seconds, in steps of 0.001"
        ) { given, options throws(Refusal) in
            options.windowMilliseconds = try OptionValue.milliseconds(given, allowed: 100...60_000)
        },
        RunOption(
            "resolutions", "LIST", \.ladder, shape: .list, standard: "10s:1h,1m:1d,1h:31d,1d:2y",
            change: .store, meaning: "width:kept of the buckets; an all-time total is always kept",
            allowed: "up to 8 of WIDTH:KEPT, such as 10s:1h,1m:1d; units s, m, h, d, w, mo, y"
        ) { given, options throws(Refusal) in
            options.ladder = try OptionValue.ladder(given)
        },
        RunOption(
            "sketches", "LIST", \.sketches, shape: .list, standard: "1m:1d,1h:31d,1d:2y",
            change: .store, meaning: "which resolutions keep timer sketches and distinct sets",
            allowed: "none, or some of the WIDTH:KEPT of --resolutions"
        ) { given, options throws(Refusal) in
            options.sketches = try OptionValue.sketches(given, of: options.ladder)
        },
        RunOption(
            "zones", "LIST", \.zones, shape: .list, standard: "UTC", change: .store,
            meaning: "zones whose days are kept as days",
            allowed:
                "up to 32 IANA names of time zones, such as Europe/Berlin, each once; UTC's days are kept in any case"
        ) { given, options throws(Refusal) in
            options.zones = try OptionValue.zones(given)
        },
    ]

    private static let trust = [
        RunOption(
            "keys", "FILE", \.given["keys"], meaning: "key registry (not in this version)", allowed: "a file's path"
        ) { _, _ throws(Refusal) in
            // An operator who names a registry counts on it: better no agent than one without keys.
            throw Refusal(allowed: "nothing yet: this version takes no sealed frames")
        },
        RunOption(
            "plain", "WHO", \.plain, standard: "loopback",
            change: .reload, meaning: "whose unsealed lines and unsigned writes are taken; UDP sources can be forged",
            allowed: OptionValue.choices(Trust.self)
        ) { given, options throws(Refusal) in
            options.plain = try OptionValue.choice(given)
        },
        RunOption(
            "read", "WHO", \.read, standard: "loopback", change: .reload,
            meaning: "whose unauthenticated reads are answered",
            allowed: OptionValue.choices(Trust.self)
        ) { given, options throws(Refusal) in
            options.read = try OptionValue.choice(given)
        },
        RunOption(
            "host", "NAMES", \.hosts, shape: .list,
            change: .reload, meaning: "Host names trusted beside localhost, 127.0.0.1 and [::1]",
            allowed: "host names or addresses without a port, IPv6 in brackets, separated by commas"
        ) { given, options throws(Refusal) in
            guard given.texts.allSatisfy(HostPort.isHost) else { throw Refusal() }
            options.hosts = given.texts.map { $0.lowercased() }
        },
        RunOption(
            "cors", "ORIGINS", \.corsOrigins, shape: .list, change: .reload, meaning: "origins whose pages may read",
            allowed: "http://HOST[:PORT] or https://HOST[:PORT], separated by commas; not *"
        ) { given, options throws(Refusal) in
            options.corsOrigins = try OptionValue.origins(given)
        },
        RunOption(
            "audience", "N", \.audience, standard: "0",
            meaning: "which sealed frames are meant for this agent (not in this version)",
            allowed: "a whole number from 0 to 4294967295"
        ) { given, options throws(Refusal) in
            options.audience = UInt32(try OptionValue.whole(given, allowed: 0...Int(UInt32.max)))
        },
    ]

    private static let meaning = [
        RunOption(
            "gauge-sign", "MODE", \.gaugeSign, standard: "auto", change: .reload, meaning: "what a signed gauge means",
            allowed: OptionValue.choices(GaugeSign.self)
        ) { given, options throws(Refusal) in
            options.gaugeSign = try OptionValue.choice(given)
        },
        RunOption(
            "views", "LISTS", \.views, shape: .listOfLists, isFileOnly: true,
            change: .store, meaning: "dimensions whose crossing is counted: [[\"country\",\"plan\"]]",
            allowed: OptionValue.viewsAllowed
        ) { given, options throws(Refusal) in
            options.views = try OptionValue.views(given)
        },
        RunOption(
            "drop_dimensions", "LIST", \.dropDimensions, shape: .list, isFileOnly: true,
            change: .reload, meaning: "dimensions that are forgotten before a line fans out: [\"host\",\"pod_name\"]",
            allowed: "a list of dimension names of 1 to 256 bytes"
        ) { given, options throws(Refusal) in
            guard given.texts.allSatisfy(OptionValue.isDimension) else { throw Refusal() }
            options.dropDimensions = given.texts
        },
    ]

    private static let bounds = [
        RunOption(
            "max-series", "N", \.maxSeries, standard: "1000000", meaning: "bound on series held in memory",
            allowed: "a whole number from 1 to 100000000"
        ) { given, options throws(Refusal) in
            options.maxSeries = try OptionValue.whole(given, allowed: 1...100_000_000)
        },
        RunOption(
            "max-values", "N", \.maxValues, standard: "1000",
            change: .store, meaning: "bound on kept values per dimension of a subject and chunk; the rest is __other__",
            allowed: "a whole number from 1 to 1000000"
        ) { given, options throws(Refusal) in
            options.maxValues = try OptionValue.whole(given, allowed: 1...1_000_000)
        },
        RunOption(
            "pending-limit", "BYTES", \.pendingLimitBytes, standard: "256M", change: .reload,
            meaning: "bound on memory while the store is away",
            allowed: OptionValue.bytesAllowed
        ) { given, options throws(Refusal) in
            options.pendingLimitBytes = try OptionValue.bytes(given)
        },
        RunOption(
            "spool-limit", "BYTES", \.spoolLimitBytes, standard: "1G", change: .reload,
            meaning: "bound on disk while the store is away",
            allowed: OptionValue.bytesAllowed
        ) { given, options throws(Refusal) in
            options.spoolLimitBytes = try OptionValue.bytes(given)
        },
    ]

    private static let running = [
        RunOption(
            "lanes", "N", \.lanes, standard: "cores", meaning: "receive lanes (SO_REUSEPORT)",
            allowed: "cores, or a whole number from 1 to 256"
        ) { given, options throws(Refusal) in
            options.lanes = given.texts == ["cores"] ? nil : try OptionValue.whole(given, allowed: 1...256)
        },
        RunOption(
            "log", "LEVEL", \.logLevel, standard: "info", change: .reload, meaning: "key=value lines on stderr",
            allowed: OptionValue.choices(LogLevel.self)
        ) { given, options throws(Refusal) in
            options.logLevel = try OptionValue.choice(given)
        },
        RunOption(
            "migrate", "", \.isMigrating, shape: .toggle, standard: "no",
            meaning: "changes what belongs to the store to these options instead of refusing it",
            allowed: "yes, no (true, false in the file)"
        ) { given, options throws(Refusal) in
            guard given.texts == ["yes"] || given.texts == ["no"] else { throw Refusal() }
            options.isMigrating = given.texts == ["yes"]
        },
    ]
}
