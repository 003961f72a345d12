import Testing

@testable import HailStore

@Suite("Store URL")
struct StoreURLTests {
    private typealias Login = StoreURL.Login

    private static let good: [(String, StoreURL)] = [
        ("embedded", .embedded),
        ("redis://localhost", .tcp(host: "localhost", port: 6379, login: nil, database: 0)),
        ("redis://localhost:7000/", .tcp(host: "localhost", port: 7000, login: nil, database: 0)),
        ("redis://10.0.0.1:7000/12", .tcp(host: "10.0.0.1", port: 7000, login: nil, database: 12)),
        ("redis://[::1]:7000", .tcp(host: "::1", port: 7000, login: nil, database: 0)),
        ("redis://[fe80::1]", .tcp(host: "fe80::1", port: 6379, login: nil, database: 0)),
        ("redis://u:p@h:1/2", .tcp(host: "h", port: 1, login: Login(user: "u", password: "p"), database: 2)),
        ("redis://:p@h", .tcp(host: "h", port: 6379, login: Login(user: "", password: "p"), database: 0)),
        (
            "redis://a%40b:%2F%3a%25@h",
            .tcp(host: "h", port: 6379, login: Login(user: "a@b", password: "/:%"), database: 0)
        ),
        ("redis+unix:///run/r.sock", .unix(path: "/run/r.sock", login: nil, database: 0)),
        ("redis+unix:///run/a%20b.sock?db=3", .unix(path: "/run/a b.sock", login: nil, database: 3)),
        (
            "redis+unix://u:p@/run/r.sock",
            .unix(path: "/run/r.sock", login: Login(user: "u", password: "p"), database: 0)
        ),
        (
            "redis-cluster://a:1,b:2",
            .cluster(hosts: [.init(host: "a", port: 1), .init(host: "b", port: 2)], login: nil)
        ),
    ]

    @Test("reads every form", arguments: good)
    func reads(text: String, url: StoreURL) throws {
        #expect(try StoreURL(parsing: text) == url)
    }

    @Test(
        "refuses anything else and says what is allowed",
        arguments: [
            "", "Embedded", "redis", "redis:/h", "redis://", "redis://:1", "redis://h:", "redis://h:0",
            "redis://h:65536", "redis://h:x", "redis://h/x", "redis://h/-1", "redis://h/1/2", "redis://h:+5",
            "redis://a,b", "redis://::1", "redis://[::1", "redis://[::1]x", "redis://[h]:1", "redis://u@h",
            "redis://%zz:p@h", "redis://u:%4@h", "redis://u:%00@h", "redis://h h", "redis://h\0", "rediss://h",
            "http://h", "redis+unix://run/r.sock", "redis+unix://", "redis+unix:///", "redis+unix:///run/",
            "redis+unix:///r?x=1", "redis+unix:///r?db=", "redis+unix:///r?db=x", "redis-cluster://",
            "redis-cluster://a,", "redis-cluster://a/1",
        ])
    func refuses(text: String) throws {
        let failure = try #require(throws: StoreError.self) { try StoreURL(parsing: text) }
        #expect(failure.description.contains(StoreURL.allowed))
    }

    @Test("never shows a password", arguments: ["redis://u:secret@h:x", "redis://u:secret@h", "redis://secret:@"])
    func hidesPassword(text: String) {
        let shown = Result { try StoreURL(parsing: text).description }
        switch shown {
        case .success(let description): #expect(!description.contains("secret"))
        case .failure(let error): #expect(!"\(error)".contains("secret"))
        }
    }

    @Test("a cluster is understood and refused by name when connecting")
    func cluster() throws {
        let url = try StoreURL(parsing: "redis-cluster://a:1")
        let failure = #expect(throws: StoreError.self) { _ = try StoreConnector(url: url).connect().isAlive }
        guard case .unsupported(let text) = failure else {
            Issue.record("it failed with \(String(describing: failure))")
            return
        }
        #expect(text.contains("redis-cluster://"))
    }
}
