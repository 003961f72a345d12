/// Whose requests are taken by their source address alone.
package enum Trust: String, CaseIterable, Sendable {
    case none
    case loopback
    /// Loopback, and the private networks of RFC 1918, RFC 4193 and link-local addresses.
    case `private`
    case any
}
