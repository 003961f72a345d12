/// `%XX` in names: how the ten characters that mean something in a line are written as themselves.
enum PercentText {
    private static let special = Array("%.:|,#=>@/".utf8)

    /// Decodes `%XX` where it stands for one of the ten; any other `%` is itself.
    static func decode(_ raw: Substring.UTF8View) -> String {
        guard raw.contains(UInt8(ascii: "%")) else { return String(Substring(raw)) }
        let bytes = Array(raw)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = hexDigit(bytes[index + 1]), let low = hexDigit(bytes[index + 2]),
                special.contains(high << 4 | low)
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Writes a part so that it is read back as itself, wherever in a line it stands.
    static func encode(_ part: String) -> [UInt8] {
        var encoded: [UInt8] = []
        for byte in part.utf8 {
            if special.contains(byte) {
                encoded += [UInt8(ascii: "%"), hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
            } else {
                encoded.append(byte)
            }
        }
        return encoded
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
