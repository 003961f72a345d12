package import HailCore

/// What the store answered to one command.
package enum StoreReply: Equatable, Sendable {
    case integer(Int64)
    case bytes([UInt8])
    case array([StoreReply])
    /// A list of texts, as `StoreReader` has it.
    case texts(TextList)
    case null
    /// `OK`, `PONG`.
    case status(String)
    /// The error's text, its code first: `LOADING Redis is loading the dataset in memory`.
    case error(String)

    /// The bytes of a string or status as text; nil for anything else.
    package var text: String? {
        switch self {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let text): text
        case .integer, .array, .texts, .null, .error: nil
        }
    }

    /// A whole number, also one that came as text.
    package var number: Int64? {
        switch self {
        case .integer(let number): number
        case .bytes, .status: text.flatMap { Int64($0) }
        case .array, .texts, .null, .error: nil
        }
    }
}
