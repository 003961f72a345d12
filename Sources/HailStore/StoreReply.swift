/// What the store answered to one command.
package enum StoreReply: Equatable, Sendable {
    case integer(Int64)
    case bytes([UInt8])
    case array([StoreReply])
    case null
    /// `OK`, `PONG`.
    case status(String)
    /// The error's text, its code first: `LOADING Redis is loading the dataset in memory`.
    case error(String)

    /// Bytes it takes in memory, about, while an answer is made of it.
    var weightBytes: Int {
        switch self {
        case .integer, .null: 64
        case .bytes(let bytes): 96 + bytes.count
        case .status(let text), .error(let text): 96 + text.utf8.count
        case .array(let items): items.reduce(64) { $0 + $1.weightBytes }
        }
    }

    /// The bytes of a string or status as text; nil for anything else.
    package var text: String? {
        switch self {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let text): text
        case .integer, .array, .null, .error: nil
        }
    }

    /// A whole number, also one that came as text.
    package var number: Int64? {
        switch self {
        case .integer(let number): number
        case .bytes, .status: text.flatMap { Int64($0) }
        case .array, .null, .error: nil
        }
    }
}
