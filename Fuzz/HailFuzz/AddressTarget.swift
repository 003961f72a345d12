@testable import HailAgent
@testable import HailNet

/// Texts of addresses, hosts, origins and targets of requests.
enum AddressTarget {
    static func run(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let address = try? SocketAddress(parsing: text) {
            claim((try? SocketAddress(parsing: address.description)) == address, "\(address) is another address")
            claim(address.withSocketAddress { _, count in count > 0 }, "an address of no bytes")
            _ = PeerClass(of: address)
        }
        if let host = HostName(text) {
            claim(HostName(host.name)?.name == host.name, "\(host.name) is another host")
        }
        if let origin = HTTPOrigin(text) {
            claim(HTTPOrigin("\(origin.scheme)://\(origin.host):\(origin.port)") == origin, "another origin")
        }
        if let place = HostPort(parsing: text) {
            let host = place.host.contains(":") ? "[\(place.host)]" : place.host
            claim(HostPort(parsing: "\(host):\(place.port)") == place, "another place")
        }
        if let url = AgentURL(parsing: text) {
            claim(AgentURL(parsing: "http://" + url.authority) == url, "another agent")
        }
        if let target = DatagramTarget(parsing: text) {
            claim(DatagramTarget(parsing: target.text) == target, "another target")
        }
        let target = HTTPTarget(parsing: bytes)
        claim(target.problem != nil || target.pathParts.count >= 1, "a path of no part")
        let evidence = CallerTrust.Evidence(peer: .loopback, hosts: [text], origins: [text])
        _ = CallerTrust(addresses: [], hosts: [text]).caller(evidence)
    }
}
