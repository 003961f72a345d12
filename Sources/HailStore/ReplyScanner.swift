import HailCore

/// Takes replies out of what a connection brings (RESP 2), a piece at a time, with no object for each text of a list.
///
/// Reads answer with texts, numbers and lists of these; a list within a list is refused, as nothing here asks for one.
struct ReplyScanner {
    /// What a reply is; its texts are places in `bytes`.
    private enum Head {
        case null
        case integer(Int64)
        case bytes(Range<Int>)
        case status(Range<Int>)
        case error(Range<Int>)
        case list(Range<Int>)
    }

    /// Why no more can be taken.
    enum Fault: Error {
        case malformed
        case tooLarge
    }

    private var bytes: [UInt8] = []
    /// How many of the bytes are there.
    private var filled = 0
    /// What lies before it was taken.
    private var position = 0
    private var places: [TextList.Place] = []
    private var heads: [Head] = []
    /// Texts of the last list that are still to come.
    private var missing = 0
    private let limitBytes: Int

    /// Room for one piece.
    private static let pieceBytes = 64 << 10
    /// The longest status or error.
    private static let lineBytes = 64 << 10

    /// What a long list brings; memory that is reserved and not used costs nothing.
    private static let expectedBytes = 4 << 10
    private static let expectedTexts = 512
    private static let mostExpected = 4_096

    /// - Parameters:
    ///   - limitBytes: what replies may take in memory, about; at most 1 GiB.
    ///   - expecting: how many replies will come.
    init(limitBytes: Int, expecting: Int = 0) {
        self.limitBytes = min(limitBytes, 1 << 30)
        bytes.reserveCapacity(min(expecting, ReplyScanner.mostExpected) * ReplyScanner.expectedBytes)
        places.reserveCapacity(min(expecting, ReplyScanner.mostExpected) * ReplyScanner.expectedTexts)
    }

    /// Replies that are whole.
    var count: Int { heads.count - (missing > 0 ? 1 : 0) }

    /// Bytes that it holds, about, with some for what is made of each text: a name takes more than itself.
    var weightBytes: Int {
        filled + ReplyScanner.textWeightBytes * places.count + ReplyScanner.replyWeightBytes * heads.count
    }

    private static let textWeightBytes = 48
    private static let replyWeightBytes = 64

    /// Lets a piece be read into free memory, and takes what is whole then.
    ///
    /// - Parameter read: fills the memory from its start and returns how much; 0 or less takes nothing.
    /// - Returns: what `read` returned.
    mutating func take(_ read: (UnsafeMutableRawBufferPointer) -> Int) throws(Fault) -> Int {
        if bytes.count - filled < ReplyScanner.pieceBytes {
            bytes.append(contentsOf: repeatElement(0, count: ReplyScanner.pieceBytes))
        }
        let from = filled
        let count = bytes.withUnsafeMutableBytes { read(UnsafeMutableRawBufferPointer(rebasing: $0[from...])) }
        guard count > 0 else { return count }
        filled += count
        try scan()
        guard weightBytes <= limitBytes else { throw .tooLarge }
        return count
    }

    private mutating func scan() throws(Fault) {
        while position < filled {
            guard let next = try next() else { return }
            position = next
        }
    }

    /// Takes what begins at `position`; where it ends, or nil where its end has not come.
    private mutating func next() throws(Fault) -> Int? {
        let mark = bytes[position]
        switch mark {
        case UInt8(ascii: "$"):
            guard let (count, start) = try number(from: position + 1) else { return nil }
            guard count >= 0 else {
                put(.missing, .null)
                return start
            }
            guard count <= limitBytes else { throw .tooLarge }
            let end = start + Int(count)
            guard end + 2 <= filled else { return nil }
            guard bytes[end] == 13, bytes[end + 1] == 10 else { throw .malformed }
            put(TextList.Place(start..<end), .bytes(start..<end))
            return end + 2
        case UInt8(ascii: "*"):
            guard let (count, start) = try number(from: position + 1) else { return nil }
            guard missing == 0, count <= Int64(limitBytes) else { throw .malformed }
            heads.append(count < 0 ? .null : .list(places.count..<places.count + Int(count)))
            missing = max(0, Int(count))
            return start
        case UInt8(ascii: ":"):
            guard let (value, end) = try number(from: position + 1) else { return nil }
            put(TextList.Place(position + 1..<end - 2), .integer(value))
            return end
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard let end = bytes[position..<filled].firstIndex(of: 13) else {
                guard filled - position <= ReplyScanner.lineBytes else { throw .malformed }
                return nil
            }
            guard end + 2 <= filled else { return nil }
            let text = position + 1..<end
            guard bytes[end + 1] == 10, missing == 0 else { throw .malformed }
            heads.append(mark == UInt8(ascii: "+") ? .status(text) : .error(text))
            return end + 2
        default: throw .malformed
        }
    }

    private mutating func put(_ place: TextList.Place, _ head: Head) {
        if missing > 0 {
            places.append(place)
            missing -= 1
        } else {
            heads.append(head)
        }
    }

    /// A whole number and where the next thing begins; nil where its line has not ended.
    private func number(from start: Int) throws(Fault) -> (Int64, next: Int)? {
        var end = start
        var value: Int64 = 0
        let isNegative = end < filled && bytes[end] == UInt8(ascii: "-")
        if isNegative { end += 1 }
        let digits = end
        while end < filled, case let digit = bytes[end] &- UInt8(ascii: "0"), digit < 10 {
            value = value &* 10 &+ Int64(digit)
            end += 1
        }
        guard end - digits <= 19 else { throw .malformed }
        guard end + 2 <= filled else { return nil }
        guard end > digits, bytes[end] == 13, bytes[end + 1] == 10 else { throw .malformed }
        return (isNegative ? 0 &- value : value, end + 2)
    }

    /// The replies, in order.
    var replies: [StoreReply] {
        heads.prefix(count).map { head in
            switch head {
            case .null: .null
            case .integer(let number): .integer(number)
            case .bytes(let range): .bytes(Array(bytes[range]))
            case .status(let range): .status(String(decoding: bytes[range], as: UTF8.self))
            case .error(let range): .error(String(decoding: bytes[range], as: UTF8.self))
            case .list(let range): .texts(TextList(bytes: bytes, places: places[range]))
            }
        }
    }
}
