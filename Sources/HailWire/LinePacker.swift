/// Packs lines into datagrams: as many whole lines as fit, in order.
package struct LinePacker {
    /// What fits through an Ethernet path without fragments: 1,500 less IPv6 and UDP headers and some room.
    package static let standardBytes = 1_432

    package let preferredBytes: Int
    /// What no datagram can exceed; longer lines are refused.
    package let limitBytes: Int
    package private(set) var lineCount = 0
    private var open: [UInt8] = []

    package init(preferredBytes: Int = standardBytes, limitBytes: Int) {
        self.preferredBytes = preferredBytes
        self.limitBytes = limitBytes
    }

    package struct Datagram: Equatable {
        package let bytes: [UInt8]
        package let lineCount: Int
    }

    package enum Outcome: Equatable {
        /// The line waits for others.
        case waiting
        /// These are full; a line longer than the preferred size travels alone.
        case full([Datagram])
        case tooLong
    }

    /// Takes a line without its end; the empty line is no line.
    package mutating func add(_ line: [UInt8]) -> Outcome {
        guard !line.isEmpty else { return .waiting }
        guard line.count <= limitBytes else { return .tooLong }
        var full: [Datagram] = []
        if !open.isEmpty, open.count + 1 + line.count > preferredBytes, let datagram = close() { full.append(datagram) }
        if !open.isEmpty { open.append(0x0A) }
        open += line
        lineCount += 1
        if open.count >= preferredBytes, let datagram = close() { full.append(datagram) }
        return full.isEmpty ? .waiting : .full(full)
    }

    /// Ends the datagram under way; nil if there is none.
    package mutating func close() -> Datagram? {
        guard !open.isEmpty else { return nil }
        defer {
            open = []
            lineCount = 0
        }
        return Datagram(bytes: open, lineCount: lineCount)
    }
}
