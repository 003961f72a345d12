/// One reply of the store to a read command.
package indirect enum ReadReply: Equatable, Sendable {
    case null
    case bytes([UInt8])
    case integer(Int64)
    case array([ReadReply])
    /// The store's own words.
    case error(String)
}

extension ReadReply {
    /// The elements of an array reply; a key that does not exist answers an empty one or null.
    ///
    /// - Throws: `store_unreadable` for anything else.
    func elements() throws(QueryError) -> [ReadReply] {
        switch self {
        case .array(let elements): return elements
        case .null: return []
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
        case .array:
            throw QueryError(.storeUnreadable, "", "The store answered a field with a list.")
        }
    }

    /// The whole number a counter's field holds; nil where there is no such field.
    ///
    /// - Throws: `store_unreadable` where the field holds anything else.
    func count() throws(QueryError) -> Int64? {
        if case .integer(let number) = self { return number }
        guard let bytes = try value() else { return nil }
        guard let number = Int64(String(decoding: bytes, as: UTF8.self)) else {
            throw QueryError(.storeUnreadable, "", "A counter in the store holds something that is not a whole number.")
        }
        return number
    }

    /// The decimal a field holds that is added to as a float; nil where there is no such field.
    ///
    /// - Throws: `store_unreadable` where the field holds anything else.
    func float() throws(QueryError) -> Double? {
        guard let bytes = try value() else { return nil }
        guard let number = Double(String(decoding: bytes, as: UTF8.self)), number.isFinite else {
            throw QueryError(.storeUnreadable, "", "A timer in the store holds something that is not a number.")
        }
        return number
    }
}
