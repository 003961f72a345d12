import Dispatch
import Glibc
import HailAggregate
import HailCore
import HailNet
import HailQuery
import HailSeal
import HailStore
import HailWire
import Synchronization

/// The composition root: makes every part, ties them together, and takes them apart again.
///
/// `@unchecked Sendable`: everything is set while starting and only read afterwards.
final class Agent: @unchecked Sendable {
    private let options: AgentOptions
    private let log: Log
    private let ledger = Ledger()
    private let folder: DataFolder
    private let embedded: EmbeddedStore?
    private let connector: StoreConnector
    private let writer: StoreWriter
    private let reader: StoreReader
    private let flusher: Flusher
    private let lanes: [Lane]
    /// The HTTP server's lane and the one for writes that count once; the last two of `lanes`.
    private let httpLane: Lane
    private let onceLane: Lane
    private let receivers: [DatagramReceiver]
    private let listeners: [LineListener]
    private let server: HTTPServer?
    /// What HUP does.
    let reload: Reload
    private let reports: ServiceReports?
    private let state: AgentState
    private let zones: ZoneFolder
    /// What the store says about resolutions, as it was read last.
    private let eras: Current<StoreEras>
    private let recovered: [SpoolRecovery.Batch]
    /// Whether the log says already that the store is away.
    ///
    /// On `entryQueue`.
    private var isAwayTold = false
    private let entryQueue = DispatchQueue(label: "hailwhale.store-entry")

    /// Looks from time to time whether the store still answers.
    ///
    /// Made once it has, on `entryQueue`.
    private var probeTimer: (any DispatchSourceTimer)?

    /// Records that a series may bring on average: subjects × groups × metrics that it does not share.
    private static let recordsPerSeries = 8
    /// How long a stop may take in all, but for what it takes to end the threads.
    private static let stopSeconds = 4.25
    /// What of it is kept for the end of the connections and of the embedded store.
    private static let closingSeconds = 1.0
    /// How often a store that gets nothing is asked whether it is still there, and still the same.
    private static let probeSeconds = 5

    private let isStopping = Atomic(false)

    /// Opens folder, store and sockets; nothing is received yet.
    ///
    /// - Parameter reports: where a service manager wants to be told.
    init(_ options: AgentOptions, _ plan: SocketPlan, reports: ServiceReports?, log: Log) throws {
        self.options = options
        self.log = log
        self.reports = reports
        let startedMillis = WallClock.steadyMillis
        folder = try DataFolder(opening: options.dataPath)
        embedded = options.store == .embedded ? EmbeddedStore(folder: folder.storePath) : nil
        connector = StoreConnector(url: options.store, embedded: embedded)
        // Sockets first: whoever sends while the store starts is heard afterwards.
        let sockets = try Agent.bind(plan.udp, lanes: options.lanes, log: log)
        let isServing = !plan.http.opened.isEmpty || !plan.http.handed.isEmpty
        server = isServing ? try HTTPServer(on: plan.http.opened, adopting: plan.http.handed.map(\.number)) : nil

        state = AgentState(startedMillis: startedMillis, storeText: options.store.description)
        zones = ZoneFolder(options.zonePath)
        eras = Current(StoreEras(options))
        let agentID = NameDigest.random()
        let spool = try Spool(
            folder: folder.spoolPath, limitBytes: options.spoolLimitBytes, widths: options.ladder.foldedWidths,
            nowSeconds: WallClock.steadySeconds)
        let windowNumbers = WindowNumbers(startMillis: WallClock.millis)
        let events = StoreEvents()
        writer = StoreWriter(
            connector: connector, agent: agentID, spool: spool.reader,
            surroundings: .init(random: { .random(in: .min ... .max) }, unixSeconds: { WallClock.steadySeconds }),
            report: { events.report($0) })
        reader = StoreReader(connector: connector)
        let schedule = options.schedule
        let returns = LaneReturns()
        flusher = Flusher(
            settings: Flusher.Settings(
                agent: agentID, pendingLimitBytes: options.pendingLimitBytes,
                rules: FanOut.Rules(
                    droppedDimensions: Set(Name.path(options.dropDimensions)), views: options.views.map(View.init)),
                windowNumbers: windowNumbers),
            book: CellBook(
                ladder: options.keptLadder, sketches: options.sketches,
                recordLimit: options.maxSeries * Agent.recordsPerSeries, valueLimit: options.maxValues,
                digester: NameDigest.blake2b),
            spool: spool,
            schedule: schedule, ledger: ledger, log: log, writer: writer, returns: returns)
        events.target = flusher

        let shared = Lane.Shared(
            scanner: LineScanner(seed: .random(in: .min ... .max), gaugeSign: options.gaugeSign),
            digester: NameDigest.blake2b, ladder: options.ladder,
            numbers: windowNumbers, spyNumbers: WindowNumbers(startMillis: 1),
            ledger: ledger,
            handOver: { [flusher] in flusher.handOver($0) })
        // Beside the sockets' lanes: one for streams, one for HTTP, one for writes that count once.
        let count = sockets.count + 3
        func lane(_ number: Int, _ transport: Transport) -> Lane {
            Lane(
                number: number, transport: transport, seriesLimit: max(1, options.maxSeries / count),
                schedule: schedule, plain: options.plain, shared: shared)
        }
        httpLane = lane(sockets.count, .http)
        onceLane = lane(sockets.count + 1, .http)
        var udpLanes: [Lane] = []
        var receivers: [DatagramReceiver] = []
        for (number, socket) in sockets.enumerated() {
            let lane = lane(number, socket.isUnix ? .unix : .udp)
            udpLanes.append(lane)
            receivers.append(try Agent.receiver(socket, lane))
        }
        let streamLane = lane(sockets.count + 2, .tcp)
        lanes = udpLanes + [httpLane, onceLane, streamLane]
        listeners = try Agent.listen(plan.tcp, streamLane, log: log)
        reload = Reload(options, addresses: server?.addresses ?? [], lanes: lanes, flusher: flusher, log: log)
        self.receivers = receivers
        returns.lanes = lanes
        recovered = spool.recovered.batches
        recover(spool.recovered, from: spool.reader, scanner: shared.scanner)
    }

    private static func bind(_ places: SocketPlan.Places, lanes: Int?, log: Log) throws -> [DatagramSocket] {
        let lanes = lanes ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        var sockets: [DatagramSocket] = []
        for address in places.opened { sockets += try told(DatagramSocket.bind(address, lanes: lanes), log) }
        // A socket that was handed over is one lane: what others on its address held would be gone with this process.
        for handed in places.handed { sockets += try told([DatagramSocket(adopting: handed.number)], log) }
        return sockets
    }

    private static func told(_ sockets: [DatagramSocket], _ log: Log) -> [DatagramSocket] {
        guard let first = sockets.first else { return [] }
        let buffer = first.receiveBuffer
        log.info(
            "listening",
            [
                "transport": first.isUnix ? "unix" : "udp", "address": first.address, "lanes": sockets.count,
                "receive_buffer_bytes": buffer.bytes, "handed_over": first.isHanded ? "yes" : "no",
            ])
        if let remedy = first.isHanded ? buffer.handedRemedy : buffer.remedy {
            log.warning("the receive buffer is small: bursts will be dropped", ["remedy": remedy])
        }
        if first.dropsBefore > 0 {
            log.warning(
                "the kernel dropped datagrams at this socket before it was handed over",
                ["address": first.address, "datagrams": first.dropsBefore])
        }
        return sockets
    }

    private static func listen(_ places: SocketPlan.Places, _ lane: Lane, log: Log) throws -> [LineListener] {
        let handler: LineListener.Handler = { text, peer, isTooLong in
            lane.tick(nowMillis: WallClock.millis)
            lane.take(
                stream: text.assumingMemoryBound(to: UInt8.self), isTrusted: lane.plain.includes(peer),
                isTooLong: isTooLong)
            lane.publish()
        }
        var listeners = try places.opened.map { try LineListener(on: $0, queue: lane.queue, handler: handler) }
        for handed in places.handed {
            listeners.append(try LineListener(adopting: handed.number, queue: lane.queue, handler: handler))
        }
        for listener in listeners { log.info("listening", ["transport": "tcp", "address": listener.address]) }
        return listeners
    }

    private static func receiver(_ socket: DatagramSocket, _ lane: Lane) throws -> DatagramReceiver {
        try DatagramReceiver(socket, on: lane.queue) { batch in
            lane.tick(nowMillis: WallClock.millis)
            for index in 0..<batch.count {
                let datagram = batch[index]
                let bytes = datagram.bytes.assumingMemoryBound(to: UInt8.self)
                lane.take(
                    datagram: bytes, isTrusted: lane.plain.includes(datagram.peer), isTruncated: datagram.isTruncated)
            }
            lane.publish()
        }
    }

    /// Takes back what an earlier start left in the spool, before anything new gets a number.
    private func recover(
        _ recovery: SpoolRecovery, from spool: SpoolReader, scanner: LineScanner
    ) {
        for name in recovery.setAside { log.warning("a spool file is too old to be replayed", ["file": name]) }
        for name in recovery.damaged { log.error("a spool file is damaged", ["file": name]) }
        if recovery.tornBytes > 0 { log.info("a torn record was cut off the spool", ["bytes": recovery.tornBytes]) }
        if !recovery.windows.isEmpty {
            log.info("windows come back from the spool", ["windows": recovery.windows.count])
        }
        flusher.queue.sync {
            var rebuild = WindowRebuild(scanner: scanner, ladder: options.ladder)
            let ids = RecoveredIDs.byShard(recovery.windows, in: spool, digester: NameDigest.blake2b)
            flusher.recover(recovery.windows, as: ids) { rebuild.window($0, from: spool) }
        }
    }

    /// Begins to receive and to answer, and to write to the store once that agrees.
    ///
    /// A store that is away does not keep the agent from counting; one that refuses it does.
    ///
    /// - Parameter refused: called where the store refuses the agent, from another queue.
    func start(refused: @escaping @Sendable (any Error) -> Void) throws {
        for receiver in receivers { receiver.start() }
        for listener in listeners { listener.start() }
        if let server {
            try server.start(router().handle) { [ledger] cut in
                ledger.count { $0.httpCuts[cut, default: 0] += 1 }
            }
            for address in server.addresses { log.info("listening", ["transport": "http", "address": address]) }
        }
        reports?.watch(lanes, flusher, ledger)
        // Not here: a store that hangs is waited for longer than a signal to stop may be.
        entryQueue.async { self.tryStore(refused) }
    }

    private func tryStore(_ refused: @escaping @Sendable (any Error) -> Void) {
        guard !isStopping.load(ordering: .relaxed) else { return }
        do {
            let isStoreUp = try enterStore()
            reports?.becameReady(isStoreUp: isStoreUp)
            guard !isStoreUp else { return }
            entryQueue.asyncAfter(deadline: .now() + .milliseconds(500)) { self.tryStore(refused) }
        } catch {
            refused(error)
        }
    }

    /// - Returns: false if the store is away for now.
    private func enterStore() throws -> Bool {
        let entry: StoreEntry.Standing
        do throws(StoreEntryError) {
            entry = try StoreEntry.enter(connector, options)
        } catch .away(let reason) {
            if !isAwayTold { log.warning("the store is away; counting goes on", ["error": reason]) }
            isAwayTold = true
            return false
        }
        let standing = entry.policy
        for change in entry.migrated { log.warning("the store was migrated", ["change": change]) }
        eras.value = StoreEras(entry.fields, options, zones: zones, nowSeconds: WallClock.seconds)
        if !standing.isDurable { log.warning("the store is not durable", ["reason": standing.reason]) }
        writer.start(recovered: recovered)
        flusher.open()
        startProbing()
        state.becomeReady(isDurable: standing.isDurable, reason: standing.reason)
        log.info(
            "ready",
            ["version": Version.text, "store": options.store, "ms": WallClock.steadyMillis - state.startedMillis])
        return true
    }

    /// A store that was restarted and lost its last second must not wait for the next event to get it again.
    private func startProbing() {
        let timer = DispatchSource.makeTimerSource(queue: entryQueue)
        timer.schedule(
            deadline: .now() + .seconds(Agent.probeSeconds), repeating: .seconds(Agent.probeSeconds),
            leeway: .seconds(1))
        timer.setEventHandler { [weak self, writer] in
            writer.probe()
            self?.compareSettings()
        }
        probeTimer = timer
        timer.activate()
    }

    /// Another agent may have migrated the store: reads go by what holds now, and the operator is told.
    private func compareSettings() {
        reader.read([StoreMeta.readCommand]) { [eras, options, zones, log] result in
            guard case .success(let replies) = result, let reply = replies.first else { return }
            let fields = StoreMeta.fields(in: reply)
            guard !fields.isEmpty else { return }
            let known = eras.value
            let found = known.updated(fields, options, zones: zones, nowSeconds: WallClock.seconds)
            for difference in found.differences where !known.differences.contains(difference) {
                log.error(
                    "the store was migrated, and this agent counts by other settings until it is restarted with these",
                    ["difference": difference])
            }
            eras.value = found
        }
    }

    private func router() -> Router {
        let write = WriteRoutes(
            lane: httpLane, onceLane: onceLane, lanes: lanes, flusher: flusher, ledger: ledger, ladder: options.ladder)
        let read = ReadRoutes(
            reader: reader, flusher: flusher, ledger: ledger, eras: eras, zones: zones)
        let status = StatusRoutes(
            state: state, eras: eras, reloads: reload.report, lanes: lanes, receivers: receivers, flusher: flusher,
            ledger: ledger)
        let routes = write.routes.merging(read.routes) { first, _ in first }
            .merging(status.routes) { first, _ in first }
            .merging(SpyRoute(lanes: lanes).routes) { first, _ in first }
            .merging(ResetRoute().routes) { first, _ in first }
        return Router(routes: routes, rules: reload.rules, ledger: ledger)
    }

    /// Drains: stops reading, flushes, leaves in the spool what the store did not take, and ends the embedded store.
    ///
    /// Ends in time whatever the store does: each step has its part of `stopSeconds`.
    func stop() {
        let deadline = DispatchTime.now() + Agent.stopSeconds
        isStopping.store(true, ordering: .relaxed)
        log.info("draining")
        reports?.isStopping("draining")
        let receiving = DispatchGroup()
        for receiver in receivers {
            receiving.enter()
            receiver.stop(drain: true) { receiving.leave() }
        }
        for listener in listeners {
            receiving.enter()
            listener.stop { receiving.leave() }
        }
        _ = receiving.wait(timeout: .now() + 1.5)
        server?.stop(graceSeconds: 0.75)
        for lane in lanes { lane.queue.sync { _ = lane.close() } }
        let drained = DispatchSemaphore(value: 0)
        flusher.drain(deadline: deadline - Agent.closingSeconds) { drained.signal() }
        drained.wait()
        writer.close(within: 0.2)
        reader.close(within: 0.2)
        let lost = ledger.snapshot.counts.eventsLost[.stopped] ?? 0
        if lost > 0 { log.error("events are lost: neither the store nor the spool took them", ["events": lost]) }
        let left = ledger.snapshot.pendingEvents
        if left > 0 { log.warning("events stay in the spool for the next start", ["events": left]) }
        let seconds = max(
            0.5, Double(deadline.uptimeNanoseconds) / 1e9 - Double(DispatchTime.now().uptimeNanoseconds) / 1e9)
        if let embedded, !embedded.end(within: seconds) {
            log.warning("the embedded store did not stop in time: it is left to the next start")
        }
        log.info("stopped")
    }
}
