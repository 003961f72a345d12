/// A JSON value.
///
/// Objects keep the order of their members where the source gives one.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// The number as decimal text, so that no digit is lost: `12.5`.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])
    /// Text that is written already, such as a long series of an answer; no reader makes it.
    case written([UInt8])

    package struct Member: Equatable, Sendable {
        package let name: String
        package let value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }
}
