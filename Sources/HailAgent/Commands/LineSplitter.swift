/// Cuts a stream of bytes into lines at LF; a CR before it belongs to the end of the line.
struct LineSplitter {
    /// A longer line is given up: its first bytes are handed out, which is enough to refuse it.
    let limitBytes: Int
    private var open: [UInt8] = []

    init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// The lines that end in these bytes.
    mutating func add(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0A) {
            keep(rest[..<end])
            if let line = finish() { lines.append(line) }
            rest = rest[(end + 1)...]
        }
        keep(rest)
        return lines
    }

    /// The last line, where the stream did not end in LF.
    mutating func finish() -> [UInt8]? {
        if open.last == 0x0D { open.removeLast() }
        defer { open = [] }
        return open.isEmpty ? nil : open
    }

    /// Two bytes more than the limit: one for the CR, one to show that the line is too long.
    private mutating func keep(_ bytes: ArraySlice<UInt8>) {
        open += bytes.prefix(max(0, limitBytes + 2 - open.count))
    }
}
