/// How commands end, after sysexits(3).
package enum ExitCode {
    package static let success: Int32 = 0
    /// The command did its work and found or met faults.
    package static let fault: Int32 = 1
    /// Wrong arguments, options or configuration.
    package static let usage: Int32 = 64
    /// The agent or the store cannot be reached.
    package static let unavailable: Int32 = 69
    package static let inputOutput: Int32 = 74
}
