package import Dispatch
internal import Glibc

/// Takes lines over stream connections (StatsD over TCP, or a unix stream socket) on one serial queue.
///
/// `@unchecked Sendable`: every stored property that changes is read and written on `queue` only, which is serial.
package final class LineListener: @unchecked Sendable {
    /// Called on the queue with whole lines, the last line feed included, or with the end of a connection's text.
    ///
    /// They may not be kept. `isTooLong` marks a text that is no whole line, of a connection that is closed for it.
    package typealias Handler = (_ text: UnsafeRawBufferPointer, _ peer: PeerClass, _ isTooLong: Bool) -> Void

    package let address: SocketAddress
    /// Connections at once; more wait in the system's queue until one ends.
    package static let mostConnections = 256
    /// How long a connection may be silent.
    package static let idleSeconds = 600

    private let queue: DispatchQueue
    private let handler: Handler
    private var socket: ListeningSocket?
    private var source: (any DispatchSourceRead)?
    private var isAccepting = false
    private var connections: [Int32: LineConnection] = [:]

    /// - Parameter queue: serial; state that `handler` captures belongs to it.
    package convenience init(
        on wanted: SocketAddress, queue: DispatchQueue, handler: @escaping Handler
    ) throws(NetError) {
        self.init(try ListeningSocket(on: wanted), queue: queue, handler: handler)
    }

    /// Takes over a listening socket that the program was started with.
    package convenience init(adopting number: Int32, queue: DispatchQueue, handler: @escaping Handler) throws(NetError)
    {
        self.init(try ListeningSocket(adopting: number), queue: queue, handler: handler)
    }

    private init(_ socket: ListeningSocket, queue: DispatchQueue, handler: @escaping Handler) {
        address = socket.address
        self.socket = socket
        self.queue = queue
        self.handler = handler
    }

    /// Starts to take connections.
    ///
    /// Called once.
    package func start() {
        queue.async { [self] in
            guard let socket else { return }
            let source = DispatchSource.makeReadSource(fileDescriptor: socket.descriptor.number, queue: queue)
            source.setEventHandler { [self] in accept() }
            self.source = source
            isAccepting = true
            source.activate()
        }
    }

    /// Reads what has arrived, closes every connection and the socket; `completion` runs on the queue.
    package func stop(completion: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            for connection in connections.values { connection.readAndClose() }
            connections = [:]
            guard let source else {
                socket = nil
                return completion()
            }
            if !isAccepting { source.resume() }
            source.setCancelHandler { [self] in
                socket = nil
                self.source = nil
                completion()
            }
            source.cancel()
        }
    }

    private func accept() {
        while let socket, connections.count < LineListener.mostConnections {
            let number = Glibc.accept(socket.descriptor.number, nil, nil)
            guard number >= 0 else { return }
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            _ = fcntl(number, F_SETFL, O_NONBLOCK)
            let connection = LineConnection(
                Descriptor(owning: number), peer: PeerClass(ofConnection: number), queue: queue, handler: handler
            ) { [weak self] in self?.ended(number) }
            connections[number] = connection
            connection.start()
        }
        if connections.count >= LineListener.mostConnections, isAccepting {
            isAccepting = false
            source?.suspend()
        }
    }

    private func ended(_ number: Int32) {
        connections[number] = nil
        if !isAccepting, let source {
            isAccepting = true
            source.resume()
        }
    }
}

extension PeerClass {
    /// The class of the peer of a connected socket.
    init(ofConnection number: Int32) {
        self = SocketAddress.withRoom { base, room in
            var count = socklen_t(room.count)
            guard getpeername(number, base, &count) == 0 else { return .any }
            guard let address = SocketAddress(base, count: count) else {
                return base.pointee.sa_family == AF_UNIX ? .loopback : .any
            }
            return PeerClass(of: address)
        }
    }
}
