/// A host by name or number, and a port.
package struct HostPort: Hashable, Sendable {
    /// Without brackets.
    package let host: String
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[v6]:port`; nil for anything else, port 0 included.
    package init?(parsing text: String) {
        guard let (host, port) = HostPort.split(text), port > 0 else { return nil }
        self.init(host: host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host, port: port)
    }

    /// Splits at the last colon; an IPv6 address keeps its brackets and needs them.
    static func split(_ text: String) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let host = String(text[..<colon])
        guard let port = port(text[text.index(after: colon)...]), isHost(host) else { return nil }
        return (host, port)
    }

    private static func port(_ text: Substring) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return UInt16(text)
    }

    /// Whether a text can be a host: a name, an IPv4 address, or an IPv6 address in brackets.
    static func isHost(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        if text.hasPrefix("[") {
            return text.hasSuffix("]") && text.utf8.count > 4
                && text.dropFirst().dropLast().unicodeScalars.allSatisfy {
                    $0 == ":" || $0 == "." || ($0.isASCII && $0.properties.isASCIIHexDigit)
                }
        }
        return text.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "-._".unicodeScalars.contains(scalar))
        }
    }
}
