/// How a connection to the store begins.
package struct StoreLogin: Hashable, Sendable {
    /// Nil is the default user.
    package var user: String?
    /// Nil sends no `AUTH`.
    package var password: String?
    package var database = 0

    package init() {}
}

extension StoreLogin: CustomStringConvertible, CustomDebugStringConvertible {
    /// Never holds the password.
    package var description: String { "user \(user ?? "default"), database \(database)" }
    package var debugDescription: String { description }
}
