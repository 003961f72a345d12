/// A web origin: scheme, host and port.
package struct HTTPOrigin: Hashable, Sendable {
    /// Lower case.
    package let scheme: String
    /// Lower case; an IPv6 address in brackets.
    package let host: String
    package let port: UInt16

    /// Reads `scheme://host[:port]` as browsers write it, or with a `/` behind it as people do; nil for anything
    /// else, `null` and `*` included.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let scheme = text[..<colon].lowercased()
        var rest = text[colon...]
        guard rest.hasPrefix("://"), scheme == "http" || scheme == "https" else { return nil }
        rest = rest.dropFirst(3)
        if rest.last == "/" { rest = rest.dropLast() }
        guard let name = HostName(rest) else { return nil }
        self.scheme = scheme
        host = name.name
        port = name.port ?? HTTPOrigin.standardPort(of: scheme)
    }

    private static func standardPort(of scheme: String) -> UInt16 { scheme == "https" ? 443 : 80 }
}
