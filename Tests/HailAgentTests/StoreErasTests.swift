import HailCore
import HailQuery
import HailSeal
import HailStore
import HailWire
import Testing

@testable import HailAgent

@Suite("Store eras")
struct StoreErasTests {
    private static let now: Int64 = 1_770_817_530
    private static let day: Int64 = 86_400
    private let zones = ZoneFolder(ZoneFolder.standardPath)

    private func options(_ arguments: String...) throws -> AgentOptions {
        try AgentOptions.parse(
            arguments: arguments, environment: [:],
            readFile: { path throws(SystemError) in try BlockingIO.readFile(path, limitBytes: 1 << 18) })
    }

    private func eras(_ options: AgentOptions, _ changes: [String: String]) -> StoreEras {
        var fields: [String: String] = [:]
        for (name, value) in StoreEntry.settings(options).fields { fields[name] = value }
        fields.merge(changes) { $1 }
        return StoreEras(fields, options, zones: zones, nowSeconds: Self.now)
    }

    /// The widths that a period is read from; those of a zone's days with its name.
    private func shelves(_ period: String, _ zone: String, _ eras: StoreEras) throws -> [String] {
        let rules = try AskedZone.rules(zone, finder: zones.rules)
        return try Coverage(Period(parsing: period), now: Self.now, zone: rules, history: eras.history)
            .stretches.map { "\($0.resolution.widthSeconds)\($0.resolution.zone?.name ?? "")" }
    }

    @Test("are one where the store was never migrated")
    func one() throws {
        let eras = eras(try options("--zones", "Europe/Berlin"), [:])
        #expect(eras.differences == [])
        #expect(try shelves("1d:1y", "Europe/Berlin", eras) == ["86400Europe/Berlin"])
        #expect(try shelves("1d:1y", "UTC", eras) == ["86400"])
    }

    @Test("know from when on a view is counted")
    func views() throws {
        let (first, second) = (Self.now - 20 * Self.day, Self.now - 10 * Self.day)
        let eras = eras(
            try options(),
            ["views": "a×b,c×d,e×f", "views@\(first)": "c×d,e×f", "views@\(second)": "a×b,c×d,g×h", "views@x": ""])
        func truncated(_ dimensions: String, _ period: String) throws -> JSONValue? {
            let query = try TotalsQuery(
                parameters: ["dimensions": try JSONText.parse(Array(dimensions.utf8)), "periods": .string(period)],
                now: Self.now, history: eras.history, digester: NameDigest.blake2b)
            var answered = query
            let replies = [ReadReply](repeating: .array([]), count: query.commands.count)
            guard case .object(let members) = try answered.answer(replies) else { return nil }
            return members.first { $0.name == "truncated_before" }?.value
        }
        func before(_ period: String, _ seconds: Int64) -> JSONValue {
            .object([JSONValue.Member(period, .number("\(seconds)"))])
        }
        #expect(try truncated(#"["a×b","1"]"#, "1d:30d") == before("1d:30d", first))
        #expect(try truncated(#"["e×f"]"#, "1d:30d") == before("1d:30d", second))
        #expect(try truncated(#"[["a×b"],["e×f"],["x"]]"#, "1d:30d") == before("1d:30d", second))
        #expect(try truncated(#"[["c×d"],["x"]]"#, "1d:30d") == nil)
        #expect(try truncated(#"["e×f"]"#, "1d:5d") == nil)
        #expect(try truncated(#"["e×f"]"#, "all") == nil)
    }

    @Test("begin with every migration, each setting as it was until then")
    func several() throws {
        let options = try options(
            "--resolutions", "1m:3d,1h:31d,1d:2y", "--zones", "Europe/Berlin", "--sketches", "1d:2y")
        let (first, second) = (Self.now - 20 * Self.day, Self.now - 10 * Self.day)
        let eras = eras(
            options,
            [
                "resolutions@\(first)": "60s:86400s,3600s:2678400s", "zones@\(second)": "UTC", "valid-from": "\(first)",
                "sketches@\(first)": "", "resolutions@x": "1", "views@\(first)": "",
            ])
        #expect(eras.differences == [])
        // Hours until the days began, then days; those of Berlin ten days later.
        #expect(try shelves("1d:30d", "UTC", eras) == ["3600", "86400"])
        #expect(try shelves("1d:30d", "Europe/Berlin", eras) == ["3600", "86400Europe/Berlin"])
        let sketched = try Coverage(
            Period(parsing: "1d:30d"), now: Self.now, zone: .utc, history: eras.history, withSketches: true)
        #expect(sketched.truncatedBefore == (first / Self.day + 1) * Self.day)
    }

    @Test("say what this agent has otherwise, and read what the store has")
    func differences() throws {
        let options = try options()
        let eras = eras(options, ["resolutions": "60s:86400s", "resolutions@5": "10s:3600s"])
        #expect(
            eras.differences.count == 1 && eras.differences[0].hasPrefix(#"resolutions: the store has "60s:86400s""#))
        #expect(eras.history.ladder.text == "60s:86400s")
        #expect(eras.updated([:], options, zones: zones, nowSeconds: Self.now).differences == [])
    }

    @Test("of a store that makes no sense are those of the options")
    func senseless() throws {
        let eras = eras(
            try options(), ["resolutions": "often", "resolutions@7": "x", "zones@9": "Mars/Olympus,UTC", "zones@z": ""])
        #expect(eras.history.ladder.text == "10s:3600s,60s:86400s,3600s:2678400s,86400s:63072000s")
    }
}
