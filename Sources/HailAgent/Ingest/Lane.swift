import Dispatch
import HailAggregate
import HailCore
import HailWire

/// One receive queue and its table: lines go in, windows come out.
///
/// Confined to `queue`.
final class Lane: @unchecked Sendable {
    /// What lanes share.
    struct Shared: Sendable {
        let scanner: LineScanner
        let digester: Digester
        let ladder: Ladder
        let numbers: WindowNumbers
        /// Numbers of texts, for the spy log.
        let spyNumbers: WindowNumbers
        let ledger: Ledger
        /// Takes a closed window to the flush queue.
        let handOver: @Sendable (ClosedWindow) -> Void
    }

    let number: Int
    let queue: DispatchQueue
    let shared: Shared
    private let longestKeptSeconds: Int64
    let buffer = LineBuffer()
    private let spyRing = SpyRing()
    var table: SeriesTable
    private var generation: UInt64 = 0
    /// What the present table took over, until its first window closes.
    private var carried: [CarriedSeries] = []
    private var schedule: FlushSchedule
    private var spares: [WindowSums] = []
    /// Windows handed over whose sums did not come back yet.
    private var windowsOut = 0
    private var windowCount = 0
    private var openedMillis: Int64 = 0
    var tickMillis: Int64 = 0
    /// What a line's `T` may be, as of the last tick.
    private var times: ClosedRange<Int64> = 0...0
    private var endMillis: Int64 = 0
    private var timer: (any DispatchSourceTimer)?
    var receipt: LaneReceipt
    var scanner: LineScanner
    /// Whose unsealed lines are taken.
    private(set) var plain: Trust
    /// Whether a new table begins when the window closes.
    private var isRenewalDue = false
    /// While lines of a request are taken in: what became of them.
    private var bodyReceipt: BodyReceipt?

    /// Lines of short datagrams that are gathered before they are added: enough to hide what one lookup waits for, few
    /// enough to stay in the first-level cache.
    private static let linesAtOnce = 96
    /// Past this many windows under way, one is closed only where its finest bucket ends.
    private static let windowsOutLimit = 4

    /// A series that was not added to in so many windows is idle.
    private static let idleWindows: UInt32 = 600

    init(
        number: Int, transport: Transport, seriesLimit: Int, schedule: FlushSchedule, plain: Trust, shared: Shared
    ) {
        self.number = number
        self.schedule = schedule
        self.shared = shared
        self.plain = plain
        scanner = shared.scanner
        longestKeptSeconds = shared.ladder.longestKeptSeconds
        queue = DispatchQueue(label: "hailwhale.lane.\(number)")
        table = SeriesTable(limit: seriesLimit)
        receipt = LaneReceipt(transport: transport)
    }

    /// Series in the table.
    var seriesCount: Int { table.count }

    // MARK: Taking in

    /// Takes in one datagram, which must stay where it is until `publish()`; that must follow the last of a batch.
    ///
    /// - Parameter isTruncated: its end is lost, so its last line is refused.
    func take(datagram: UnsafeBufferPointer<UInt8>, isTrusted: Bool, isTruncated: Bool = false) {
        receipt.datagrams += 1
        guard let first = datagram.first else { return }
        if first == Lane.frameMark {
            receipt.sealedUnknownKey += 1
            return
        }
        guard isTrusted else {
            receipt.reject(.unsealed, count: LineText.lineCount(of: datagram))
            return
        }
        if datagram.count <= LineBuffer.textBytes {
            scan(datagram)
        } else {
            scan(long: datagram, isTruncated: isTruncated)
        }
        spyRing.note(datagram, number: shared.spyNumbers.take(), millis: tickMillis)
    }

    private func scan(_ text: UnsafeBufferPointer<UInt8>) {
        if buffer.lineCount >= Lane.linesAtOnce || !buffer.hasRoom(for: text.count) { addScanned() }
        scanner.scan(text, behind: buffer, times: times)
    }

    /// Scans what only a unix sender can make, in pieces.
    private func scan(long text: UnsafeBufferPointer<UInt8>, isTruncated: Bool) {
        var count = text.count
        if isTruncated {
            receipt.reject(.lineTooLong)
            count = text.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        }
        var start = 0
        while start < count {
            let end = min(LineText.cut(text, from: start), count)
            if end - start <= LineBuffer.textBytes {
                scan(UnsafeBufferPointer(rebasing: text[start..<end]))
            } else {
                receipt.reject(.lineTooLong)
            }
            start = end
        }
    }

    /// Takes in whole lines of a stream; `publish()` must follow.
    ///
    /// - Parameter isTooLong: the text is the beginning of a line that is longer than any may be.
    func take(stream text: UnsafeBufferPointer<UInt8>, isTrusted: Bool, isTooLong: Bool) {
        guard isTrusted else {
            receipt.datagrams += 1
            receipt.reject(.unsealed, count: LineText.lineCount(of: text))
            return
        }
        var start = 0
        while start < text.count, !isTooLong {
            let end = LineText.cut(text, from: start)
            take(datagram: UnsafeBufferPointer(rebasing: text[start..<min(end, text.count)]), isTrusted: true)
            start = end
        }
        if isTooLong {
            receipt.datagrams += 1
            receipt.reject(.lineTooLong)
        }
    }

    /// The newest events after a text of a number, for the spy log.
    func spy(after number: UInt64) -> [SpyLine] {
        dispatchPrecondition(condition: .onQueue(queue))
        return spyRing.lines(after: number, scanner: scanner, buffer: buffer)
    }

    /// The first byte of a sealed frame.
    private static let frameMark: UInt8 = 0xF8

    /// Opens or closes the window by the clock, before a batch is taken in.
    func tick(nowMillis: Int64) {
        dispatchPrecondition(condition: .onQueue(queue))
        tickMillis = nowMillis
        let now = nowMillis / 1_000
        times = (now - longestKeptSeconds)...(now + Limits.futureSeconds)
        if isOver(nowMillis), !table.sums.isEmpty, isDue(nowMillis) { close() }
        if table.sums.isEmpty { open(nowMillis) }
    }

    /// Enters in the books what was taken in since the last time.
    func publish() {
        addScanned()
        enter()
    }

    private func enter() {
        guard !receipt.isEmpty else { return }
        shared.ledger.received(receipt, lane: number)
        receipt.removeAll()
        if timer == nil, !table.sums.isEmpty { arm() }
    }

    /// Takes in the lines of a request body.
    func take(body: [UInt8]) -> BodyReceipt {
        dispatchPrecondition(condition: .onQueue(queue))
        tick(nowMillis: WallClock.millis)
        receipt.datagrams += 1
        bodyReceipt = BodyReceipt()
        defer { bodyReceipt = nil }
        body.withUnsafeBufferPointer { text in
            var start = 0
            var number: UInt32 = 1
            while start < text.count {
                let end = LineText.cut(text, from: start)
                let piece = UnsafeBufferPointer(rebasing: text[start..<min(end, text.count)])
                if piece.count > LineBuffer.textBytes {
                    refuse(.lineTooLong, number: number)
                    number += 1
                } else {
                    scanner.scan(piece, behind: buffer, firstNumber: number, times: times)
                    addScanned()
                    spyRing.note(piece, number: shared.spyNumbers.take(), millis: WallClock.millis)
                    number += UInt32(piece.count { $0 == UInt8(ascii: "\n") })
                }
                start = end
            }
        }
        publish()
        return bodyReceipt ?? BodyReceipt()
    }

    /// Takes in one event that did not come as a line.
    func take(event: CountedEvent) throws(LineError) {
        dispatchPrecondition(condition: .onQueue(queue))
        tick(nowMillis: WallClock.millis)
        try put(event)
        receipt.events += 1
        SeriesNameEncoder.line(of: event.name, micros: event.micros).withUnsafeBufferPointer {
            spyRing.note($0, number: shared.spyNumbers.take(), millis: WallClock.millis)
        }
        publish()
    }

    private func put(_ event: CountedEvent) throws(LineError) {
        // Escaped names can be longer than any datagram, so they stay outside the buffer.
        let identity = SeriesNameEncoder.identity(of: event.name)
        buffer.removeAll()
        let values = event.bufferValues
        for (place, value) in values.enumerated() { buffer.values[place] = value }
        let error = identity.withUnsafeBufferPointer { bytes -> LineError? in
            guard let base = bytes.baseAddress else { return nil }
            var line = ScannedLine(at: base)
            line.headLength = UInt32(bytes.count)
            line.valueCount = UInt32(values.count)
            line.timeSeconds = event.timeSeconds ?? ScannedLine.noTime
            line.hash = scanner.hash(base, count: bytes.count)
            if let index = table.find(base, count: bytes.count, hash: line.hash) {
                table.add(
                    line, of: buffer, to: index, finestSeconds: shared.ladder.finest.widthSeconds,
                    nowMillis: tickMillis)
            } else {
                admit(&line)
            }
            return line.error
        }
        buffer.removeAll()
        if let error { throw error }
    }

    /// Adds what was scanned since the last time.
    private func addScanned() {
        guard buffer.lineCount > 0 else { return buffer.removeAll() }
        if buffer.used.pointee.hasMembers { buffer.hashMembers(shared.digester) }
        table.add(buffer, finestSeconds: shared.ladder.finest.widthSeconds, nowMillis: tickMillis) { admit(&$0) }
        let acceptedCount = UInt64(buffer.lineCount - buffer.refusedCount)
        receipt.linesAccepted += acceptedCount
        receipt.events += acceptedCount
        bodyReceipt?.accepted += acceptedCount
        if buffer.refusedCount > 0 {
            for place in 0..<buffer.lineCount {
                if let error = buffer.lines[place].error { refuse(error, number: buffer.lines[place].number) }
            }
        }
        buffer.removeAll()
        if table.isWindowFull {
            enter()
            if let id = close() { bodyReceipt?.closedWindows.insert(id) }
            open(WallClock.millis)
        }
    }

    private func refuse(_ error: LineError, number: UInt32) {
        receipt.reject(error)
        bodyReceipt?.refusals.append(LineRefusal(line: number, reason: error))
    }

    // MARK: Windows

    /// What a reload changed; with other dimensions to forget, every series is met anew.
    func change(plain: Trust, gaugeSign: GaugeSign, renewing isRenewing: Bool) {
        dispatchPrecondition(condition: .onQueue(queue))
        self.plain = plain
        scanner = scanner.with(gaugeSign)
        guard isRenewing else { return }
        isRenewalDue = true
        if close() == nil { renewTableIfIdle() }
    }

    /// The windows' width changed.
    func setSchedule(_ schedule: FlushSchedule) { self.schedule = schedule }

    /// Sums that the flush queue is done with.
    func takeBack(_ sums: WindowSums) {
        sums.removeAll()
        windowsOut -= 1
        if spares.count < 2 { spares.append(sums) }
    }

    private func open(_ nowMillis: Int64) {
        openedMillis = nowMillis
        endMillis = schedule.end(at: nowMillis)
    }

    /// Whether the window's time is up; also where the clock was set back, past its begin.
    private func isOver(_ nowMillis: Int64) -> Bool {
        nowMillis >= endMillis || nowMillis < openedMillis - 1_000
    }

    private func isDue(_ nowMillis: Int64) -> Bool {
        windowsOut < Lane.windowsOutLimit
            || nowMillis / schedule.finestMillis != openedMillis / schedule.finestMillis
    }

    private func arm() {
        let timer = DispatchSource.makeTimerSource(queue: queue)
        let wait = max(1, endMillis - WallClock.millis)
        timer.schedule(deadline: .now() + .milliseconds(Int(wait)), leeway: .milliseconds(1))
        timer.setEventHandler { [weak self] in self?.timerFired() }
        self.timer = timer
        timer.activate()
    }

    private func timerFired() {
        timer?.cancel()
        timer = nil
        let now = WallClock.millis
        if isOver(now), isDue(now), !table.sums.isEmpty {
            close()
        } else if !table.sums.isEmpty {
            if isOver(now) { endMillis = now + 10 }
            arm()
        }
    }

    /// Closes the open window and hands it over.
    ///
    /// - Returns: its number, or nil if it was empty.
    @discardableResult
    func close(condition: BatchGroup.Condition? = nil) -> UInt64? {
        dispatchPrecondition(condition: .onQueue(queue))
        guard !table.sums.isEmpty else { return nil }
        timer?.cancel()
        timer = nil
        let id = shared.numbers.take()
        let (sums, newSeries) = table.close(nextSums: spares.popLast() ?? WindowSums())
        windowsOut += 1
        shared.ledger.closed(window: id, lane: number, events: sums.eventCount)
        shared.handOver(
            ClosedWindow(
                id: id, lane: number, generation: generation, startSeconds: openedMillis / 1_000, sums: sums,
                carried: carried, newSeries: newSeries, arena: table.arena, condition: condition))
        carried = []
        windowCount += 1
        renewTableIfIdle()
        return id
    }

    /// Begins a new table when many series of this one are idle, so that names which came and went do not stay; those
    /// that are not idle go over.
    private func renewTableIfIdle() {
        let isCrowded = table.isFull && windowCount % 16 == 0
        let isLooking = isCrowded || (table.count > 4_096 && windowCount % 256 == 0)
        let isIdle = isLooking && table.idleShare(windows: Lane.idleWindows) > (isCrowded ? 0.1 : 0.5)
        guard isRenewalDue || isIdle else { return }
        if isRenewalDue {
            (table, carried) = (SeriesTable(limit: table.limit), [])
        } else {
            (table, carried) = table.renewed(windows: Lane.idleWindows)
        }
        isRenewalDue = false
        generation += 1
        spares = []
    }
}
