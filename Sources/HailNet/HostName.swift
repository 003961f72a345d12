/// A host and port as a `Host` header and an origin write them.
struct HostName: Hashable {
    /// Lower case, without a trailing dot; an IPv6 address in its shortest form and in brackets.
    let name: String
    /// nil where none is written, or an empty one.
    let port: UInt16?

    /// Reads `name`, `name:port`, `[address]`, `[address]:port`; nil for anything else.
    init?(_ text: some StringProtocol) {
        var name = Substring(text)
        var digits: Substring?
        if name.first == "[" {
            guard let close = name.firstIndex(of: "]") else { return nil }
            let rest = name[name.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            if !rest.isEmpty { digits = rest.dropFirst() }
            guard let address = SocketAddress.ipv6(String(name[..<close].dropFirst())),
                let host = SocketAddress.ipv6(address, port: 0).host
            else { return nil }
            self.name = host
        } else {
            if let colon = name.firstIndex(of: ":") {
                digits = name[name.index(after: colon)...]
                name = name[..<colon]
            }
            if name.last == "." { name = name.dropLast() }
            guard !name.isEmpty, name.last != ".", name.utf8.allSatisfy(HostName.isNameByte) else { return nil }
            self.name = name.lowercased()
        }
        guard let digits, !digits.isEmpty else {
            port = nil
            return
        }
        guard digits.utf8.count <= 5, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt16(digits)
        else { return nil }
        port = number
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}
