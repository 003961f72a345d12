import Glibc

/// Why a file or a socket could not be used, in the words of the system.
package struct SystemError: Error, Equatable {
    package let reason: String

    package init(reason: String) { self.reason = reason }

    /// What `errno` says now.
    package static var last: SystemError { SystemError(reason: String(cString: strerror(errno))) }
}
