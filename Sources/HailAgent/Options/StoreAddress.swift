/// Where the store is.
package enum StoreAddress: Hashable, Sendable {
    /// A private `redis-server` under the data folder.
    case embedded
    case tcp(HostPort, login: StoreLogin)
    case unix(path: String, login: StoreLogin)
    case cluster([HostPort])

    static let allowed =
        "embedded, redis://[USER:PASSWORD@]HOST:PORT[/DATABASE], redis+unix:///PATH, "
        + "redis-cluster://HOST:PORT,HOST:PORT"

    /// Reads one of the four forms; nil for anything else.
    package init?(parsing text: String) {
        if text == "embedded" {
            self = .embedded
        } else if let rest = StoreAddress.rest(of: text, after: "redis+unix://") {
            guard rest.hasPrefix("/"), rest.utf8.count > 1, !rest.utf8.contains(0),
                rest.utf8.count <= ListenAddress.pathLimitBytes
            else { return nil }
            self = .unix(path: rest, login: StoreLogin())
        } else if let rest = StoreAddress.rest(of: text, after: "redis-cluster://") {
            var nodes: [HostPort] = []
            for item in rest.split(separator: ",", omittingEmptySubsequences: false) {
                guard let node = HostPort(parsing: String(item)) else { return nil }
                nodes.append(node)
            }
            self = .cluster(nodes)
        } else if let rest = StoreAddress.rest(of: text, after: "redis://") {
            guard let address = StoreAddress.tcp(parsing: rest) else { return nil }
            self = address
        } else {
            return nil
        }
    }

    private static func rest(of text: String, after scheme: String) -> String? {
        text.hasPrefix(scheme) ? String(text.dropFirst(scheme.count)) : nil
    }

    /// Reads `[user:pass@]host:port[/db]`.
    private static func tcp(parsing text: String) -> StoreAddress? {
        var login = StoreLogin()
        var place = text[...]
        if let at = place.lastIndex(of: "@") {
            let halves = place[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let user = percentDecoded(halves[0]), let password = percentDecoded(halves[1]),
                !password.isEmpty
            else { return nil }
            login.user = user.isEmpty ? nil : user
            login.password = password
            place = place[place.index(after: at)...]
        }
        if let slash = place.firstIndex(of: "/") {
            let digits = place[place.index(after: slash)...]
            guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let database = Int(digits)
            else { return nil }
            login.database = database
            place = place[..<slash]
        }
        guard let node = HostPort(parsing: String(place)) else { return nil }
        return .tcp(node, login: login)
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var out: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                out.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                value > 0
            else { return nil }
            out.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: out, as: UTF8.self)
    }

    /// The text with its password hidden, for logs and errors; also where the rest of it is malformed.
    package static func redacted(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return text }
        let scheme = text.firstRange(of: "://").map { text[..<$0.upperBound] } ?? ""
        return scheme + "…@" + text[text.index(after: at)...]
    }
}

extension StoreAddress: CustomStringConvertible {
    /// As the option writes it, without the password.
    package var description: String {
        switch self {
        case .embedded: "embedded"
        case .tcp(let node, let login):
            "redis://" + (login.password == nil ? "" : "…@") + StoreAddress.text(node) + "/\(login.database)"
        case .unix(let path, _): "redis+unix://" + path
        case .cluster(let nodes): "redis-cluster://" + nodes.map(StoreAddress.text).joined(separator: ",")
        }
    }

    private static func text(_ node: HostPort) -> String {
        node.host.contains(":") ? "[\(node.host)]:\(node.port)" : "\(node.host):\(node.port)"
    }
}
