import Testing

@testable import HailStore

@Suite("Store meta")
struct StoreMetaTests {
    private let store: TestStore
    private let settings = StoreSettings(
        resolutions: "10s:3600s", sketches: "", zones: "UTC", views: "", maxValues: 1_000)

    init() throws { store = try TestStore() }

    @Test("is written by the first agent and agreed to by the next")
    func claims() throws {
        var connection = try store.connector.connect()
        #expect(try StoreMeta.claim(settings, nowSeconds: 500, over: &connection) == .created)
        #expect(try StoreMeta.claim(settings, nowSeconds: 900, over: &connection) == .same)
        #expect(try store.run("HGET", "hw:meta", "valid-from").number == 500)
        #expect(try store.run("HGET", "hw:meta", "layout").number == 1)
        #expect(try store.run("HGET", "hw:meta", "shards").number == 256)
        #expect(try store.run("TTL", "hw:meta") == .integer(-1))
    }

    @Test("names every difference and changes nothing")
    func differs() throws {
        var connection = try store.connector.connect()
        _ = try StoreMeta.claim(settings, nowSeconds: 500, over: &connection)
        var other = settings
        other.resolutions = "60s:7200s"
        other.maxValues = 7
        #expect(
            try StoreMeta.claim(other, nowSeconds: 900, over: &connection)
                == .differs([
                    #"resolutions: the store has "10s:3600s", this agent "60s:7200s""#,
                    #"max_values: the store has "1000", this agent "7""#,
                ]))
        #expect(try StoreMeta.claim(settings, nowSeconds: 900, over: &connection) == .same)
    }

    @Test("takes a setting that it did not have, and refuses a hash that is none of ours")
    func grows() throws {
        var connection = try store.connector.connect()
        _ = try StoreMeta.claim(settings, nowSeconds: 500, over: &connection)
        try store.run("HDEL", "hw:meta", "views")
        #expect(try StoreMeta.claim(settings, nowSeconds: 900, over: &connection) == .same)
        #expect(try store.run("HEXISTS", "hw:meta", "views") == .integer(1))
        try store.run("HDEL", "hw:meta", "layout")
        #expect(
            try StoreMeta.claim(settings, nowSeconds: 900, over: &connection)
                == .differs([#"layout: the store has "none", this agent "1""#]))
        try store.run("DEL", "hw:meta")
        try store.run("SET", "hw:meta", "x")
        #expect(throws: StoreError.self) { try StoreMeta.claim(settings, nowSeconds: 1, over: &connection) }
    }

    @Test("migrates to other settings, remembering the resolutions before, but never to another layout")
    func migrates() throws {
        var connection = try store.connector.connect()
        _ = try StoreMeta.claim(settings, nowSeconds: 500, over: &connection)
        var other = settings
        other.resolutions = "60s:7200s"
        other.zones = "UTC,Europe/Berlin"
        #expect(
            try StoreMeta.migrate(other, nowSeconds: 900, over: &connection)
                == .migrated([
                    #"resolutions: from "10s:3600s" to "60s:7200s""#, #"zones: from "UTC" to "UTC,Europe/Berlin""#,
                ]))
        #expect(try StoreMeta.migrate(other, nowSeconds: 910, over: &connection) == .same)
        #expect(try StoreMeta.claim(other, nowSeconds: 950, over: &connection) == .same)
        let fields = StoreMeta.fields(in: try store.run("HGETALL", "hw:meta"))
        #expect(fields["resolutions@900"] == "10s:3600s" && fields["zones@900"] == "UTC")
        #expect(fields.keys.count { $0.contains("@") } == 2)
        // Of two migrations in one second it is the first that knows what was before.
        var third = other
        third.zones = "UTC,Asia/Kathmandu"
        _ = try StoreMeta.migrate(third, nowSeconds: 900, over: &connection)
        #expect(try store.run("HGET", "hw:meta", "zones@900").text == "UTC")
        #expect(
            third.differences(from: fields)
                == [#"zones: the store has "UTC,Europe/Berlin", this agent "UTC,Asia/Kathmandu""#])
        #expect(other.differences(from: fields) == [] && other.differences(from: [:]) == [])
        #expect(try store.run("HGET", "hw:meta", "valid-from").number == 900)
        try store.run("HSET", "hw:meta", "shards", "16")
        #expect(
            try StoreMeta.migrate(settings, nowSeconds: 990, over: &connection)
                == .differs([#"shards: the store has "16", this agent "256""#]))
        #expect(try store.run("HGET", "hw:meta", "resolutions").text == "60s:7200s")
    }
}

@Suite("Store policy")
struct StorePolicyTests {
    private let store: TestStore

    init() throws { store = try TestStore() }

    @Test("refuses a store that evicts", arguments: ["allkeys-lru", "volatile-ttl", "volatile-lfu", "allkeys-random"])
    func evicts(policy: String) throws {
        var connection = try store.connector.connect()
        try store.run("CONFIG", "SET", "maxmemory-policy", policy)
        #expect(throws: StoreError.mayEvict(policy: policy)) { try StorePolicy.check(over: &connection) }
    }

    @Test("tells a durable store from one that is not, and why")
    func durable() throws {
        var connection = try store.connector.connect()
        #expect(
            try StorePolicy.check(over: &connection)
                == StorePolicy(isDurable: true, reason: "append-only file, appendfsync always"))
        try store.run("CONFIG", "SET", "appendfsync", "no")
        #expect(try !StorePolicy.check(over: &connection).isDurable)
        try store.run("CONFIG", "SET", "appendonly", "no")
        #expect(
            try StorePolicy.check(over: &connection)
                == StorePolicy(isDurable: false, reason: "no append-only file and no replica"))
    }

    @Test("falls back to INFO where CONFIG is forbidden, and wants at least that")
    func forbidden() throws {
        try store.run("ACL", "SETUSER", "low", "on", ">x", "~*", "+@all", "-config")
        let url = StoreURL.unix(
            path: store.embedded.socketPath, login: .init(user: "low", password: "x"), database: 0)
        var connection = try RedisConnection(to: url)
        #expect(try StorePolicy.check(over: &connection) == StorePolicy(isDurable: true, reason: "append-only file"))
        try store.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        #expect(throws: StoreError.mayEvict(policy: "allkeys-lru")) { try StorePolicy.check(over: &connection) }
        try store.run("ACL", "SETUSER", "low", "-info")
        let failure = #expect(throws: StoreError.self) { try StorePolicy.check(over: &connection) }
        guard case .refused = failure else {
            Issue.record("it failed with \(String(describing: failure))")
            return
        }
    }
}
