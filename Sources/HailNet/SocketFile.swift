internal import Glibc

/// The file of a bound unix socket.
struct SocketFile: Sendable {
    /// Everybody who can reach the folder may write.
    ///
    /// A unix socket is trusted as loopback is, and every user of a machine may write to 127.0.0.1. Close the folder to
    /// keep users out.
    private static let mode: mode_t = 0o666

    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// The file of a socket that was just bound; nil for an address that has none.
    init?(of address: SocketAddress) {
        guard case .unix(let path) = address else { return nil }
        var status = stat()
        guard chmod(path, SocketFile.mode) == 0, lstat(path, &status) == 0 else { return nil }
        self.path = path
        device = status.st_dev
        inode = status.st_ino
    }

    /// Removes the file, unless somebody else's has taken its place.
    func remove() {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
        unlink(path)
    }

    /// Makes room for a socket at `path`: removes the file of one whose owner is gone.
    ///
    /// - Throws: `addressInUse` where somebody still listens, `notASocket` where the file is none.
    static func clear(path: String, type: __socket_type) throws(NetError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        let number = socket(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { throw .system(action: "open", subject: "a unix socket", code: errno) }
        let probe = Descriptor(owning: number)
        let code = SocketAddress.unix(path: path).withSocketAddress { pointer, count in
            connect(probe.number, pointer, count) == 0 ? 0 : errno
        }
        // EPROTOTYPE: somebody listens there with another type of socket; EAGAIN: and is behind.
        guard code == ECONNREFUSED || code == ENOENT else { throw .addressInUse("unix:\(path)") }
        unlink(path)
    }
}
