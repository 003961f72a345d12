/// Where the store is, as `--store` says it.
package enum StoreURL: Equatable, Sendable, CustomStringConvertible {
    /// A private `redis-server` under the data folder.
    case embedded
    case tcp(host: String, port: UInt16, login: Login?, database: Int)
    case unix(path: String, login: Login?, database: Int)
    /// Masters of a cluster: parsed, not yet served.
    case cluster(hosts: [Endpoint], login: Login?)

    /// What AUTH is given; an empty user is the default one.
    package struct Login: Equatable, Sendable {
        package let user: String
        package let password: String
    }

    package struct Endpoint: Equatable, Sendable {
        package let host: String
        package let port: UInt16
    }

    package static let allowed =
        "embedded, redis://[user:pass@]host[:port][/db], redis+unix:///path[?db=n], redis-cluster://host:port,host:port"

    package init(parsing text: String) throws(StoreError) {
        func bad(_ reason: String) -> StoreError { .badURL(text: StoreURL.withoutPassword(text), reason: reason) }
        if text == "embedded" {
            self = .embedded
            return
        }
        guard let mark = text.firstRange(of: "://") else { throw bad("not an address") }
        let scheme = text[..<mark.lowerBound]
        var rest = text[mark.upperBound...]
        guard !text.utf8.contains(0) else { throw bad("it holds a NUL") }

        if scheme == "redis+unix" {
            var database = 0
            if let question = rest.lastIndex(of: "?") {
                let query = rest[rest.index(after: question)...]
                guard query.hasPrefix("db="), let number = StoreURL.databaseNumber(query.dropFirst(3))
                else { throw bad("after ? only db=NUMBER") }
                database = number
                rest = rest[..<question]
            }
            var login: Login?
            if !rest.hasPrefix("/"), let at = rest.firstIndex(of: "@") {
                guard let found = StoreURL.login(rest[..<at]) else { throw bad("user and password do not read") }
                login = found
                rest = rest[rest.index(after: at)...]
            }
            guard rest.hasPrefix("/"), rest.count > 1, !rest.hasSuffix("/"), let path = StoreURL.percentDecoded(rest)
            else { throw bad("the socket's path must be absolute") }
            self = .unix(path: path, login: login, database: database)
            return
        }

        guard scheme == "redis" || scheme == "redis-cluster" else { throw bad("unknown scheme \(scheme)") }
        var login: Login?
        if let at = rest.lastIndex(of: "@") {
            guard let found = StoreURL.login(rest[..<at]) else { throw bad("user and password do not read") }
            login = found
            rest = rest[rest.index(after: at)...]
        }
        var database = 0
        if let slash = rest.firstIndex(of: "/") {
            let name = rest[rest.index(after: slash)...]
            guard scheme == "redis", let number = name.isEmpty ? 0 : StoreURL.databaseNumber(name)
            else { throw bad("the database must be a number") }
            database = number
            rest = rest[..<slash]
        }
        var hosts: [Endpoint] = []
        for item in rest.split(separator: ",", omittingEmptySubsequences: false) {
            guard let endpoint = StoreURL.endpoint(item) else { throw bad("host and port do not read") }
            hosts.append(endpoint)
        }
        if scheme == "redis-cluster" {
            self = .cluster(hosts: hosts, login: login)
        } else {
            guard hosts.count == 1 else { throw bad("one host only") }
            self = .tcp(host: hosts[0].host, port: hosts[0].port, login: login, database: database)
        }
    }

    /// The address for logs and errors; never the password.
    package var description: String {
        switch self {
        case .embedded: "embedded"
        case .tcp(let host, let port, _, let database):
            "redis://\(host.contains(":") ? "[\(host)]" : host):\(port)" + (database == 0 ? "" : "/\(database)")
        case .unix(let path, _, let database): "redis+unix://\(path)" + (database == 0 ? "" : "?db=\(database)")
        case .cluster(let hosts, _):
            "redis-cluster://" + hosts.map { "\($0.host):\($0.port)" }.joined(separator: ",")
        }
    }

    private static func endpoint(_ text: Substring) -> Endpoint? {
        var host = text
        var portText: Substring = "6379"
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<close]
            let after = text[text.index(after: close)...]
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
            guard after.isEmpty || after.hasPrefix(":") else { return nil }
            if !after.isEmpty { portText = after.dropFirst() }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "@" || $0 == "?" || $0 == "#" }),
            portText.allSatisfy(\.isASCIIDigit), let port = UInt16(portText), port > 0
        else { return nil }
        return Endpoint(host: String(host), port: port)
    }

    private static func login(_ text: Substring) -> Login? {
        guard let colon = text.firstIndex(of: ":"), let user = percentDecoded(text[..<colon]),
            let password = percentDecoded(text[text.index(after: colon)...])
        else { return nil }
        return Login(user: user, password: password)
    }

    private static func databaseNumber(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.count <= 5, text.allSatisfy(\.isASCIIDigit) else { return nil }
        return Int(text)
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let digits = String(rest.prefix(2)), digits.allSatisfy(\.isHexDigit),
                let value = UInt8(digits, radix: 16), value != 0
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The text with what may be a password blotted out, for error messages.
    package static func withoutPassword(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@"), let mark = text.firstRange(of: "://"), mark.upperBound <= at
        else { return text }
        return text[..<mark.upperBound] + "…" + text[at...]
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
