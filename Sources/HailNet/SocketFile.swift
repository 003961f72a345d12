internal import Glibc

/// The file that a listening unix socket leaves behind.
enum SocketFile {
    /// Everybody who can reach the folder may write: a unix socket is trusted as loopback is, and every user of a
    /// machine may write to 127.0.0.1. Close the folder to keep users out.
    static let mode: mode_t = 0o666

    /// Makes room for a socket at `path`: removes the file of one whose owner is gone.
    ///
    /// - Throws: `addressInUse` where somebody still listens, `notASocket` where the file is none.
    static func clear(path: String, type: __socket_type) throws(NetError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        let number = socket(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .system(action: "open", subject: "a unix socket", code: errno) }
        let probe = Descriptor(owning: number)
        let code = SocketAddress.unix(path: path).withSocketAddress { pointer, count in
            connect(probe.number, pointer, count) == 0 ? 0 : errno
        }
        // EPROTOTYPE: somebody listens there with another type of socket.
        guard code == ECONNREFUSED || code == ENOENT else { throw .addressInUse("unix:\(path)") }
        unlink(path)
    }

    /// Whether `path` still holds the socket that `address` was bound to, and removes it then.
    static func remove(_ address: SocketAddress) {
        guard case .unix(let path) = address else { return }
        unlink(path)
    }
}
