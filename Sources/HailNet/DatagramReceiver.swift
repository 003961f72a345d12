internal import CIngest
package import Dispatch
internal import Glibc

/// Receives from one socket on one serial queue: a lane.
///
/// The queue's source wakes it; while traffic flows it stays on the queue, at most 50 ms at a time, and naps between
/// looks at the socket, so that the cost of a wake-up is shared by many datagrams.
///
/// `@unchecked Sendable`: every stored property that changes is read and written on `queue` only, which is serial.
package final class DatagramReceiver: @unchecked Sendable {
    /// Called on the queue with whole batches; they may not be kept.
    package typealias Handler = (borrowing DatagramBatch) -> Void

    package let address: SocketAddress

    private let queue: DispatchQueue
    private var socket: DatagramSocket?
    private var source: (any DispatchSourceRead)?
    private var ring: OpaquePointer?
    private var handler: Handler
    private var plan: NapPlan
    private var drops: KernelDropCount
    private var isStopping = false

    /// What a stop that drains takes at most, so that a sender who never pauses cannot hold it up.
    private static let drainNanoseconds: UInt64 = 1_000_000_000

    /// A receiver that has not started; `queue` is serial, and state that `handler` captures belongs to it.
    ///
    /// - Parameter needsPeers: whether the handler asks who sent a datagram; else all senders are `any`, which saves the
    ///   kernel a copy.
    package init(
        _ socket: DatagramSocket, on queue: DispatchQueue, needsPeers: Bool = true, handler: @escaping Handler
    ) throws(NetError) {
        guard let ring = ingest_ring_create(needsPeers ? 1 : 0) else {
            throw .system(action: "map memory for", subject: "\(socket.address)", code: ENOMEM)
        }
        self.ring = ring
        self.socket = socket
        self.queue = queue
        self.handler = handler
        address = socket.address
        plan = NapPlan(socket.receiveBuffer)
        drops = KernelDropCount(from: socket.dropsBefore)
    }

    /// Starts to receive.
    ///
    /// Called once, from any thread.
    package func start() {
        queue.async { [self] in
            guard let socket, source == nil, !isStopping else { return }
            let source = DispatchSource.makeReadSource(fileDescriptor: socket.descriptor.number, queue: queue)
            source.setEventHandler { [self] in wake() }
            self.source = source
            source.activate()
        }
    }

    /// Datagrams that the kernel dropped since the start, as of the last wake-up or refresh.
    ///
    /// On the queue only.
    package var kernelDrops: UInt64 {
        dispatchPrecondition(condition: .onQueue(queue))
        return drops.total
    }

    /// Reads the kernel's count anew; it also grows when no datagram follows.
    ///
    /// On the queue only.
    package func refreshKernelDrops() {
        dispatchPrecondition(condition: .onQueue(queue))
        if let value = socket?.kernelDrops { drops.take(value) }
    }

    /// Stops for good; with `drain`, what the kernel has queued already is handled first.
    ///
    /// `completion` runs on the queue after the socket is closed; `kernelDrops` keeps its last value.
    package func stop(drain: Bool, completion: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            guard !isStopping else { return completion() }
            isStopping = true
            if drain { drainQueued() }
            refreshKernelDrops()
            guard let source else {
                close()
                return completion()
            }
            // The descriptor may be closed only here: until then the source may still watch it.
            source.setCancelHandler { [self] in
                close()
                completion()
            }
            source.cancel()
        }
    }

    deinit { ingest_ring_destroy(ring) }

    private func close() {
        source = nil
        socket = nil
        handler = { _ in }
        ingest_ring_destroy(ring)
        ring = nil
    }

    /// A wake-up: looks and naps until the traffic thins out or the queue has been held long enough.
    private func wake() {
        let woken = Clock.nanoseconds
        while !isStopping {
            let (received, isEmpty) = look(until: woken + NapPlan.holdNanoseconds)
            guard isEmpty else { break }
            let step = plan.step(received: received, nowNanoseconds: Clock.nanoseconds, wokenNanoseconds: woken)
            if case .nap(let microseconds) = step { usleep(microseconds) }
            if case .leave = step { break }
        }
        refreshKernelDrops()
        if let ring { ingest_ring_trim(ring) }
    }

    private func drainQueued() {
        _ = look(until: Clock.nanoseconds + DatagramReceiver.drainNanoseconds)
    }

    /// Hands over what is queued, until nothing is or the deadline passes.
    private func look(until deadline: UInt64) -> (received: Int, isEmpty: Bool) {
        guard let ring, let socket else { return (0, true) }
        var received = 0
        while true {
            let count = ingest_ring_receive(ring, socket.descriptor.number)
            // An error belongs to one datagram (an ICMP answer, short memory) and is gone once it was read.
            guard count > 0 else { return (received, true) }
            received += Int(count)
            handler(
                DatagramBatch(
                    UnsafeBufferPointer(start: ingest_ring_datagrams(ring), count: Int(count))))
            if count < INGEST_RING_SLOTS { return (received, true) }
            if Clock.nanoseconds >= deadline { return (received, false) }
        }
    }
}
