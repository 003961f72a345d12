internal import CMicroHTTPD

/// The header fields of a request as libmicrohttpd read them, and whether it read all that was there.
///
/// It takes fields for C strings: a NUL cuts a name or a value short, so that a proxy in front and this server would
/// read two requests. The fields lie in one piece of memory as they came, with NULs where a colon or a line's end
/// was; whatever else lies between them was cut away.
struct HTTPHeaderFields {
    private(set) var headers = HTTPHeaders()
    private(set) var byteCount = 0
    private(set) var isMalformed = false
    /// Where the text before the next name ends; 0 where nothing is known.
    private var end: UInt
    /// The bytes of the latest line's end: 1 for LF, 2 for CRLF.
    private var lineEndBytes: UInt = 0

    /// - Parameter version: of the request line, which lies before the fields.
    init(of connection: OpaquePointer, version: UnsafePointer<CChar>?) {
        end = UInt(bitPattern: version)
        if let version {
            var count: UInt = 0
            while version[Int(count)] != 0 { count += 1 }
            end += count
        }
        withUnsafeMutablePointer(to: &self) { fields in
            _ = MHD_get_connection_values_n(
                connection, .HEADER_KIND,
                { context, _, name, nameCount, value, valueCount in
                    context?.assumingMemoryBound(to: HTTPHeaderFields.self).pointee.take(
                        UnsafeRawBufferPointer(start: name, count: name == nil ? 0 : nameCount),
                        UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueCount))
                    return .YES
                }, fields)
        }
        if end != 0, lineEndBytes == 2, let rest = UnsafePointer<UInt8>(bitPattern: end) {
            // Behind the last field came two line ends, of which nothing is left; a NUL right before them hides nothing
            // and cannot be told from them.
            if (0..<4).contains(where: { rest[$0] != 0 }) { isMalformed = true }
        }
    }

    private mutating func take(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        byteCount += name.count + value.count
        headers.append(String(decoding: name, as: UTF8.self), HTTPHeaderFields.trimmed(value))
        if name.isEmpty || !name.allSatisfy(HTTPHeaderFields.isToken)
            || value.contains(where: HTTPHeaderFields.isControl)
        {
            isMalformed = true
        }
        let nameStart = UInt(bitPattern: name.baseAddress)
        let valueStart = UInt(bitPattern: value.baseAddress)
        lineEndBytes = nameStart &- end
        // Between name and value are a colon and white space, which a field may have much of.
        if !(1...2).contains(lineEndBytes) || valueStart <= nameStart + UInt(name.count) { isMalformed = true }
        if valueStart > nameStart + UInt(name.count) {
            let gap = UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: nameStart + UInt(name.count) + 1),
                count: Int(valueStart - nameStart) - name.count - 1)
            if !gap.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { isMalformed = true }
        }
        end = valueStart + UInt(value.count)
    }

    /// A field's value without the white space behind it, which libmicrohttpd leaves there.
    private static func trimmed(_ value: UnsafeRawBufferPointer) -> String {
        var rest = value[...]
        while let last = rest.last, last == 0x20 || last == 0x09 { rest = rest.dropLast() }
        return String(decoding: rest, as: UTF8.self)
    }

    /// RFC 9110, 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 && byte != 0x09 || byte == 0x7F }
}
