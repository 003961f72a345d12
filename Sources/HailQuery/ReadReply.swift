package import HailCore

/// One reply of the store to a read command.
package indirect enum ReadReply: Equatable, Sendable {
    case null
    case bytes([UInt8])
    case integer(Int64)
    case array([ReadReply])
    /// A list of texts.
    case texts(TextList)
    /// The store's own words.
    case error(String)
}

extension ReadReply {
    /// The texts of a list; a key that does not exist answers an empty one or null.
    ///
    /// - Throws: `store_unreadable` for anything else.
    func list() throws(QueryError) -> TextList {
        switch self {
        case .texts(let texts): return texts
        case .null: return TextList([])
        case .array(let elements):
            var texts: [[UInt8]?] = []
            for element in elements { texts.append(try element.value()) }
            return TextList(texts)
        case .error(let words):
            throw QueryError(.storeUnreadable, "", "The store answered a read with: \(words)")
        case .bytes, .integer:
            throw QueryError(.storeUnreadable, "", "The store answered a read of many fields with one value.")
        }
    }

    /// The bytes of a field or member; nil where there is none.
    ///
    /// - Throws: `store_unreadable` for an error or a nested array.
    func value() throws(QueryError) -> [UInt8]? {
        switch self {
        case .bytes(let bytes): return bytes
        case .null: return nil
        case .integer(let number):
            return Array(String(number).utf8)
        case .error(let words):
            throw QueryError(.storeUnreadable, "", "The store answered a read with: \(words)")
        case .array, .texts:
            throw QueryError(.storeUnreadable, "", "The store answered a field with a list.")
        }
    }
}
