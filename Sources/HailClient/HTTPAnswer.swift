/// Puts an answer of HTTP/1.1 together from its bytes as they come (RFC 9112).
///
/// Its length is said, or it comes in chunks, or it ends with the connection.
struct HTTPAnswer {
    private enum Stage {
        case head
        /// So many bytes of the body are missing.
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailer
        case untilEnd
        case whole
    }

    private(set) var status = 0
    private(set) var body: [UInt8] = []
    private let limitBytes: Int
    private var stage = Stage.head
    /// Lines that are not whole yet.
    private var line: [UInt8] = []
    private var headBytes = 0
    private var length: Int?
    private var isChunked = false

    /// Bytes of the lines before the body, of those after it, and of each between its chunks.
    private static let headLimitBytes = 65_536

    /// - Parameter limitBytes: the longest body that is taken.
    init(limitBytes: Int) { self.limitBytes = limitBytes }

    var isWhole: Bool { if case .whole = stage { true } else { false } }

    /// - Throws: `badAnswer`.
    mutating func take(_ bytes: ArraySlice<UInt8>) throws(HailError) {
        var rest = bytes
        while !rest.isEmpty, !isWhole {
            switch stage {
            case .body(let left):
                let count = try takeBody(&rest, atMost: left)
                stage = count == left ? .whole : .body(left: left - count)
            case .chunk(let left):
                let count = try takeBody(&rest, atMost: left)
                stage = count == left ? .chunkEnd : .chunk(left: left - count)
            case .untilEnd: _ = try takeBody(&rest, atMost: rest.count)
            case .head, .chunkSize, .chunkEnd, .trailer:
                guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
                    try takeLine(&rest, through: rest.endIndex)
                    return
                }
                try takeLine(&rest, through: end + 1)
                if line.suffix(2) == [UInt8(ascii: "\r"), UInt8(ascii: "\n")] { line.removeLast() }
                line.removeLast()
                let text = String(decoding: line, as: UTF8.self)
                line = []
                try take(line: text)
            case .whole: return
            }
        }
    }

    /// The connection ended.
    ///
    /// - Throws: `badAnswer` where the answer did not.
    mutating func end() throws(HailError) {
        if case .untilEnd = stage { stage = .whole }
        guard isWhole else { throw .badAnswer(status == 0 ? "the connection was closed" : "it is cut short") }
    }

    private mutating func takeBody(_ rest: inout ArraySlice<UInt8>, atMost left: Int) throws(HailError) -> Int {
        let piece = rest.prefix(left)
        guard body.count + piece.count <= limitBytes else { throw tooLong() }
        body += piece
        rest = rest.dropFirst(piece.count)
        return piece.count
    }

    private mutating func takeLine(_ rest: inout ArraySlice<UInt8>, through end: Int) throws(HailError) {
        headBytes += end - rest.startIndex
        guard headBytes <= HTTPAnswer.headLimitBytes else { throw .badAnswer("its head is too long") }
        line += rest[..<end]
        rest = rest[end...]
    }

    private mutating func take(line: String) throws(HailError) {
        switch stage {
        case .head where status == 0: try take(statusLine: line)
        case .head where line.isEmpty: try endHead()
        case .head: try take(field: line)
        case .chunkSize:
            guard let digits = line.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false).first,
                let size = HTTPAnswer.number(HTTPAnswer.trimmed(digits), radix: 16)
            else { throw .badAnswer("a chunk has no size") }
            guard size <= limitBytes - body.count else { throw tooLong() }
            headBytes = 0
            stage = size == 0 ? .trailer : .chunk(left: size)
        case .chunkEnd:
            guard line.isEmpty else { throw .badAnswer("a chunk is longer than it says") }
            stage = .chunkSize
        case .trailer: if line.isEmpty { stage = .whole }
        case .body, .chunk, .untilEnd, .whole: return
        }
    }

    private mutating func take(statusLine: String) throws(HailError) {
        let words = statusLine.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1]),
            status >= 100
        else { throw .badAnswer("it has no status line") }
        self.status = status
    }

    private mutating func take(field: String) throws(HailError) {
        let halves = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 else { throw .badAnswer("a header field has no name") }
        let value = HTTPAnswer.trimmed(halves[1])
        switch halves[0].lowercased() {
        case "content-length":
            guard let number = HTTPAnswer.number(value, radix: 10), length == nil || length == number else {
                throw .badAnswer("its length is not clear")
            }
            length = number
        case "transfer-encoding":
            guard value.lowercased() == "chunked" else { throw .badAnswer("it is encoded as \(value)") }
            isChunked = true
        default: return
        }
    }

    private mutating func endHead() throws(HailError) {
        // 1xx announces an answer that follows.
        if status < 200 {
            (status, length, isChunked) = (0, nil, false)
        } else if isChunked {
            stage = .chunkSize
        } else if status == 204 || status == 304 || length == 0 {
            stage = .whole
        } else if let length {
            guard length <= limitBytes else { throw tooLong() }
            stage = .body(left: length)
        } else {
            stage = .untilEnd
        }
    }

    private func tooLong() -> HailError { .badAnswer("it is longer than \(limitBytes) bytes") }

    /// Digits alone: no sign, no space, and no more than fit.
    private static func number(_ text: String, radix: Int) -> Int? {
        text.utf8.allSatisfy { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+") } ? Int(text, radix: radix) : nil
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
