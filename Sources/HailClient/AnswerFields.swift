internal import HailCore
internal import HailWire

/// What an answer says in its fields.
extension JSONValue {
    /// The member of an object, compared by bytes.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }

    var number: Double? { if case .number(let text) = self { Double(text) } else { nil } }

    /// A whole number.
    var whole: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }

    /// The members of an object.
    ///
    /// - Throws: `badAnswer`.
    func members() throws(HailError) -> [Member] {
        guard case .object(let members) = self else { throw .badAnswer("an object is missing") }
        return members
    }
}

extension [String] {
    /// The path that a key of an answer writes: `_`, `country`, `["country", "US"]`.
    init(answerKey key: String) {
        guard key != "_" else {
            self = []
            return
        }
        let parsed = key.hasPrefix("[") ? try? JSONText.parse([UInt8](key.utf8)) : nil
        guard case .array(let items) = parsed, items.count > 1 else {
            self = [key]
            return
        }
        let parts = items.compactMap(\.string)
        self = parts.count == items.count ? parts : [key]
    }
}
