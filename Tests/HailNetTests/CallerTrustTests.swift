import Testing

@testable import HailNet

@Suite("Caller trust")
struct CallerTrustTests {
    typealias Evidence = CallerTrust.Evidence

    /// Listens on 127.0.0.1:8085, 192.168.1.5:8085, [::]:8086; `--host Stats.Example.com,[FD00:0::1]`;
    /// `--cors https://app.example.com,http://app.example.com:8000`.
    let trust = CallerTrust(
        addresses: [
            .ipv4(0x7F00_0001, port: 8085), .ipv4(0xC0A8_0105, port: 8085), .ipv6(0, port: 8086), .unix(path: "/x"),
        ],
        hosts: ["Stats.Example.com", "[FD00:0::1]"],
        origins: ["https://app.example.com/", "http://App.example.com:8000", "null", "*"].compactMap { HTTPOrigin($0) })

    @Test(
        "goes by the address where the host is the agent's",
        arguments: [
            "localhost", "localhost:8085", "LOCALHOST:8085", "localhost.", "localhost.:8085", "localhost:",
            "127.0.0.1", "127.0.0.1:8085", "127.0.0.1:9999", "[::1]", "[::1]:8085", "[0:0:0:0:0:0:0:1]:8085",
            "stats.example.com", "STATS.example.com:80", "stats.example.com.", "[fd00::1]:1", "192.168.1.5:8085",
        ])
    func ownHosts(host: String) {
        #expect(trust.caller(Evidence(peer: .loopback, hosts: [host])) == .loopback)
        #expect(trust.caller(Evidence(peer: .private, hosts: [host])) == .private)
        #expect(trust.caller(Evidence(peer: .any, hosts: [host])) == .any)
    }

    @Test("knows a host by one name, with one final dot or none", arguments: ["a..", "..", "a...", "127.0.0.1..:1"])
    func dots(text: String) {
        #expect(HostName(text) == nil)
        #expect(HostName("a.")?.name == "a")
    }

    @Test(
        "is nobody's where the host is another's, is missing, or is several",
        arguments: [
            [], [""], ["evil.com"], ["evil.com:8085"], ["localhost.evil.com"], ["xlocalhost"], ["localhost.."],
            ["localhost:x"], ["localhost:8085:1"], ["localhost:99999"], ["localhost:-1"], [" localhost"],
            ["localhost "], ["localhost,evil.com"], ["user@localhost"], ["localhost/"], ["http://localhost"],
            ["127.0.0.2"], ["127.1"], ["0177.0.0.1"], ["2130706433"], ["0.0.0.0"], ["[::]"], ["::1"], ["[::1"],
            ["[::1]x"], ["[::1]8085"], ["[::ffff:127.0.0.1]"], ["[::1%lo]"], ["192.168.1.6"],
            ["stats.example.com.evil.com"],
            ["example.com"], [":8085"], ["."], ["localhost", "localhost"], ["localhost", "evil.com"],
        ])
    func otherHosts(hosts: [String]) {
        #expect(trust.caller(Evidence(peer: .loopback, hosts: hosts)) == .any)
    }

    @Test(
        "goes by the address where the page is the agent's own or in --cors",
        arguments: [
            ("localhost:8085", "http://localhost:8085"), ("localhost:8085", "http://127.0.0.1:8085"),
            ("localhost:8085", "HTTP://LOCALHOST:8085"), ("localhost", "http://localhost"),
            ("localhost:80", "http://localhost"), ("localhost", "http://localhost:80"),
            ("localhost:9000", "http://localhost:9000"), ("localhost:9000", "http://localhost:8085"),
            ("localhost:8085", "http://localhost:8086"), ("[::1]:8086", "http://[::1]:8086"),
            ("localhost:8085", "http://stats.example.com:8085"), ("localhost:8085", "http://192.168.1.5:8085"),
            ("localhost:8085", "https://app.example.com"), ("localhost:8085", "https://app.example.com:443"),
            ("localhost:8085", "https://APP.example.com"), ("localhost:8085", "http://app.example.com:8000"),
        ])
    func ownOrigins(host: String, origin: String) {
        // A present Origin outranks Sec-Fetch-Site.
        #expect(
            trust.caller(Evidence(peer: .loopback, hosts: [host], origins: [origin], fetchSites: ["cross-site"]))
                == .loopback)
    }

    @Test(
        "is nobody's where the page is another's",
        arguments: [
            ["null"], [""], ["*"], ["http://evil.com"], ["http://localhost:3000"], ["http://localhost"],
            ["https://localhost:8085"], ["http://localhost:8085/x"], ["http://localhost:8085@evil.com"],
            ["http://evil.com:8085"], ["http://localhost.evil.com:8085"], ["http://app.example.com"],
            ["https://app.example.com:8000"], ["https://app.example.com.evil.com"], ["app.example.com"],
            ["file://"], ["chrome-extension://abcdef"], ["http://localhost:8085", "http://localhost:8085"],
            ["http://localhost:8085, http://evil.com"], ["http://localhost:8085//"], ["http://"],
            ["http:localhost:8085"],
        ])
    func otherOrigins(origins: [String]) {
        #expect(trust.caller(Evidence(peer: .loopback, hosts: ["localhost:8085"], origins: origins)) == .any)
    }

    @Test(
        "goes by what the browser says of a request without an origin",
        arguments: [
            ([], PeerClass.loopback), (["none"], .loopback), (["same-origin"], .loopback), (["same-site"], .any),
            (["cross-site"], .any), ([""], .any), (["None"], .any), (["none", "cross-site"], .any), (["x"], .any),
        ])
    func fetchSites(sites: [String], expected: PeerClass) {
        #expect(trust.caller(Evidence(peer: .loopback, hosts: ["localhost"], fetchSites: sites)) == expected)
    }

    @Test(
        "is nobody's behind a proxy",
        arguments: [
            "Forwarded", "forwarded", "X-Forwarded-For", "x-forwarded-for", "X-Real-IP", "x-real-ip", "Via", "VIA",
        ])
    func proxies(header: String) {
        for value in ["", "127.0.0.1"] {
            let request = HTTPRequest(
                method: "GET", target: HTTPTarget(parsing: Array("/".utf8)),
                headers: ["Host": "localhost", header: value])
            #expect(trust.caller(request) == .any)
        }
        let bare = HTTPRequest(
            method: "GET", target: HTTPTarget(parsing: Array("/".utf8)), headers: ["hOST": "localhost", "X-Other": ""])
        #expect(trust.caller(bare) == .loopback)
    }

    @Test(
        "reads the host of an absolute target too",
        arguments: [
            ("http://localhost:8085/", PeerClass.loopback), ("http://evil.com/", .any), ("http://127.0.0.1/", .any),
        ])
    func absolute(target: String, expected: PeerClass) {
        let request = HTTPRequest(
            method: "GET", target: HTTPTarget(parsing: Array(target.utf8)), headers: ["Host": "localhost:8085"])
        #expect(trust.caller(request) == expected)
    }

    @Test("names the origins that may read")
    func cors() {
        #expect(trust.mayRead(origin: "https://app.example.com"))
        #expect(!trust.mayRead(origin: "http://localhost:8085"))
        #expect(!trust.mayRead(origin: "null"))
    }
}
