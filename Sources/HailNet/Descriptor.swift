internal import Glibc

/// An open file descriptor.
///
/// Whoever drops the value closes it.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes over a descriptor that nobody else closes.
    init(owning number: Int32) { self.number = number }

    /// Gives the descriptor away unclosed.
    consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    deinit { close(number) }
}
