internal import Dispatch
internal import Glibc

/// One stream connection that brings lines.
///
/// Confined to the listener's queue.
///
/// `@unchecked Sendable`: every stored property that changes is read and written on that queue only.
final class LineConnection: @unchecked Sendable {
    /// The longest line, and so the most that is held of a connection.
    private static let lineBytes = 65_507

    private let queue: DispatchQueue
    private let peer: PeerClass
    private let handler: LineListener.Handler
    private let ended: () -> Void
    private let source: any DispatchSourceRead
    private let idle: any DispatchSourceTimer
    private let number: Int32
    /// What has arrived of the line that is under way.
    private var rest: [UInt8] = []
    private var isClosed = false

    init(
        _ descriptor: consuming Descriptor, peer: PeerClass, queue: DispatchQueue,
        handler: @escaping LineListener.Handler, ended: @escaping () -> Void
    ) {
        self.queue = queue
        self.peer = peer
        self.handler = handler
        self.ended = ended
        // The cancel handler closes it: until then the source may still watch it.
        let number = descriptor.release()
        self.number = number
        source = DispatchSource.makeReadSource(fileDescriptor: number, queue: queue)
        source.setCancelHandler { close(number) }
        idle = DispatchSource.makeTimerSource(queue: queue)
    }

    func start() {
        source.setEventHandler { [weak self] in self?.read() }
        source.activate()
        idle.setEventHandler { [weak self] in self?.cutOff() }
        waitAgain()
        idle.activate()
    }

    /// Takes what has arrived already, and closes.
    func readAndClose() {
        read()
        cutOff()
    }

    /// Ends a connection whose peer has not: the beginning of a line that stands at its end is no line.
    private func cutOff() {
        rest = []
        end()
    }

    private func waitAgain() {
        idle.schedule(deadline: .now() + .seconds(LineListener.idleSeconds), leeway: .seconds(1))
    }

    private func read() {
        guard !isClosed else { return }
        waitAgain()
        var room = [UInt8](repeating: 0, count: LineConnection.lineBytes + 1)
        // A few rounds at a time, so that one sender does not hold the queue.
        for _ in 0..<16 {
            let held = rest.count
            room.replaceSubrange(0..<held, with: rest)
            let count = room.withUnsafeMutableBytes {
                Glibc.recv(number, $0.baseAddress.map { $0 + held }, $0.count - held, 0)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK) { end() }
                return
            }
            take(room, held + count)
            if isClosed { return }
        }
    }

    /// Hands over whole lines and keeps what follows the last of them.
    private func take(_ room: [UInt8], _ count: Int) {
        guard let newline = room[..<count].lastIndex(of: UInt8(ascii: "\n")) else {
            rest = Array(room[..<count])
            guard count > LineConnection.lineBytes else { return }
            // What comes after a line that is cut cannot be told from its end.
            room.withUnsafeBytes { handler(UnsafeRawBufferPointer(rebasing: $0[..<count]), peer, true) }
            rest = []
            end()
            return
        }
        room.withUnsafeBytes { handler(UnsafeRawBufferPointer(rebasing: $0[...newline]), peer, false) }
        rest = Array(room[(newline + 1)..<count])
    }

    private func end() {
        guard !isClosed else { return }
        isClosed = true
        if !rest.isEmpty {
            let last = rest
            rest = []
            last.withUnsafeBytes { handler($0, peer, false) }
        }
        idle.cancel()
        source.cancel()
        ended()
    }
}
