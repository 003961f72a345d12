internal import HailCore
internal import HailWire

/// What waits to be sent: packs lines, keeps the bound, counts what is dropped, and says what to do next.
struct Outbox {
    typealias Datagram = LinePacker.Datagram

    /// What whoever added a line has to see to.
    enum Duty: Equatable {
        case none
        /// The first line waits: flush when its time has passed.
        case flushLater
        /// A datagram is full: send.
        case sendNow
    }

    private let bufferBytes: Int
    private var packer: LinePacker
    private var full: [Datagram] = []
    /// Datagrams before this one are gone.
    private var first = 0
    /// Bytes of all lines that wait.
    private(set) var waitingBytes = 0
    private(set) var droppedCount = 0
    private(set) var isClosed = false
    private var isFlushDue = false
    private var isSendDue = false

    init(_ options: HailOptions) {
        bufferBytes = options.bufferBytes
        packer = LinePacker(preferredBytes: options.datagramBytes, limitBytes: Limits.datagramBytes)
    }

    var isEmpty: Bool { waitingBytes == 0 }

    /// Takes a line, or drops and counts it.
    mutating func add(_ line: [UInt8]) -> Duty {
        guard !isClosed, !line.isEmpty, waitingBytes + line.count <= bufferBytes else {
            drop(1)
            return .none
        }
        switch packer.add(line) {
        case .tooLong:
            drop(1)
            return .none
        case .waiting: break
        case .full(let datagrams): full += datagrams
        }
        waitingBytes += line.count
        if !isSendDue, first < full.count {
            isSendDue = true
            return .sendNow
        }
        if !isFlushDue, !isSendDue {
            isFlushDue = true
            return .flushLater
        }
        return .none
    }

    /// Counts samples that will never be sent.
    mutating func drop(_ count: Int) { droppedCount += count }

    /// Makes a datagram of the lines that are not yet in one.
    mutating func flush() {
        isFlushDue = false
        if let datagram = packer.close() { full.append(datagram) }
    }

    /// The next datagram; it leaves by `remove` once the system has it.
    ///
    /// Where there is none, the next full one has to be announced anew, and so has the time of a line in the open one.
    mutating func next() -> Datagram? {
        if first < full.count { return full[first] }
        isSendDue = false
        return nil
    }

    /// Whether lines wait in the open datagram that nobody was told to flush; whoever asks now is.
    mutating func takesFlush() -> Bool {
        guard !isFlushDue, packer.lineCount > 0 else { return false }
        isFlushDue = true
        return true
    }

    /// Takes the first datagram out: it was sent, or it is dropped.
    mutating func remove() {
        guard first < full.count else { return }
        // Line ends were not counted as they came.
        waitingBytes -= full[first].bytes.count - (full[first].lineCount - 1)
        first += 1
        if first == full.count {
            full.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 64, first * 2 > full.count {
            full.removeFirst(first)
            first = 0
        }
    }

    /// Takes nothing more.
    mutating func close() { isClosed = true }

    /// Drops and counts everything that waits.
    mutating func abandon() {
        flush()
        while let datagram = next() {
            drop(datagram.lineCount)
            remove()
        }
    }
}
