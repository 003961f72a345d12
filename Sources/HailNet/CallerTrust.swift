/// Who a caller over HTTP counts as: its address, unless the request shows that somebody else speaks through it.
///
/// A reverse proxy's visitors all come from the proxy's address, and a web page that an operator happens to open comes
/// from the operator's. Neither may have what the address alone would get.
package struct CallerTrust: Sendable {
    /// What a request shows of its caller.
    package struct Evidence: Equatable, Sendable {
        package var peer: PeerClass
        /// Every `Host`, and the authority of an absolute target.
        package var hosts: [String]
        /// Every `Origin`.
        package var origins: [String]
        /// Every `Sec-Fetch-Site`.
        package var fetchSites: [String]
        /// Whether a proxy has left its mark.
        package var isForwarded: Bool

        package init(
            peer: PeerClass, hosts: [String], origins: [String] = [], fetchSites: [String] = [],
            isForwarded: Bool = false
        ) {
            self.peer = peer
            self.hosts = hosts
            self.origins = origins
            self.fetchSites = fetchSites
            self.isForwarded = isForwarded
        }

        package init(_ request: HTTPRequest) {
            let headers = request.headers
            peer = request.peer
            hosts = headers.all("Host")
            // The authority outranks the header; where they differ, two programs may have read two hosts.
            if let authority = request.target.authority, hosts != [authority] { hosts.append(authority) }
            origins = headers.all("Origin")
            fetchSites = headers.all("Sec-Fetch-Site")
            isForwarded = CallerTrust.proxyHeaders.contains { headers.has($0) }
        }
    }

    /// What a proxy adds to a request that it passes on.
    package static let proxyHeaders = ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"]

    private let names: Set<String>
    private let ports: Set<UInt16>
    private let origins: Set<HTTPOrigin>

    /// - Parameters:
    ///   - addresses: where the agent listens for HTTP. An address of its own may stand in a `Host` as it is:
    ///     a page can be made to reach it under another name, but not under its number.
    ///   - hosts: the names of `--host`, each with or without a port, which does not count.
    ///   - origins: those of `--cors`.
    package init(addresses: [SocketAddress], hosts: [String] = [], origins: [HTTPOrigin] = []) {
        let own = addresses.filter { !$0.isWildcard }.compactMap(\.host)
        let all = ["localhost", "127.0.0.1", "[::1]"] + hosts + own
        names = Set(all.compactMap { HostName($0)?.name })
        ports = Set(addresses.compactMap(\.port))
        self.origins = Set(origins)
    }

    /// The class whose rights the caller has.
    package func caller(_ request: HTTPRequest) -> PeerClass { caller(Evidence(request)) }

    /// The class whose rights the caller has.
    package func caller(_ evidence: Evidence) -> PeerClass {
        guard evidence.peer != .any, !evidence.isForwarded, evidence.hosts.count == 1,
            let host = HostName(evidence.hosts[0]), names.contains(host.name)
        else { return .any }
        if evidence.origins.isEmpty {
            return evidence.fetchSites.allSatisfy(CallerTrust.isOwnSite) ? evidence.peer : .any
        }
        guard evidence.origins.count == 1, let origin = HTTPOrigin(evidence.origins[0]) else { return .any }
        return origins.contains(origin) || isOwn(origin, host: host) ? evidence.peer : .any
    }

    /// Whether an origin is in `--cors`.
    package func mayRead(origin text: String) -> Bool { HTTPOrigin(text).map(origins.contains) ?? false }

    /// Whether the agent itself has served the page: plain HTTP, a trusted name, and the port of this request or
    /// one that the agent listens on.
    private func isOwn(_ origin: HTTPOrigin, host: HostName) -> Bool {
        origin.scheme == "http" && names.contains(origin.host)
            && (origin.port == host.port ?? 80 || ports.contains(origin.port))
    }

    private static func isOwnSite(_ value: String) -> Bool { value == "none" || value == "same-origin" }
}
