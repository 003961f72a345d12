/// Where an agent answers HTTP: `http://host:port`, without a path.
package struct AgentURL: Hashable, Sendable {
    package let place: HostPort

    static let allowed = "http://HOST[:PORT] (TLS belongs to a reverse proxy)"

    package init?(parsing text: String) {
        guard text.hasPrefix("http://") else { return nil }
        var rest = String(text.dropFirst(7))
        if rest.hasSuffix("/") { rest.removeLast() }
        if let place = HostPort(parsing: rest) {
            self.place = place
        } else if HostPort.isHost(rest), let place = HostPort(parsing: rest + ":80") {
            self.place = place
        } else {
            return nil
        }
    }

    /// The `Host` header's value.
    package var authority: String {
        place.host.contains(":") ? "[\(place.host)]:\(place.port)" : "\(place.host):\(place.port)"
    }

    /// Escapes a text for a query (RFC 3986: everything but unreserved characters).
    static func escaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                out += digits.utf8.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return out
    }
}
