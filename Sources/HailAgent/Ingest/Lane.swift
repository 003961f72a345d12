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
    private let shared: Shared
    private let buffer = LineBuffer()
    private let spyRing = SpyRing()
    private var table: SeriesTable
    private var generation: UInt64 = 0
    /// What the present table took over, until its first window closes.
    private var carried: [CarriedSeries] = []
    private var schedule: FlushSchedule
    private var spares: [WindowSums] = []
    /// Windows handed over whose sums did not come back yet.
    private var windowsOut = 0
    private var windowCount = 0
    private var openedMillis: Int64 = 0
    private var tickMillis: Int64 = 0
    private var endMillis: Int64 = 0
    private var timer: (any DispatchSourceTimer)?
    private var receipt: LaneReceipt
    /// While lines of a request are taken in: what became of them.
    private var bodyReceipt: BodyReceipt?

    /// Past this many windows under way, one is closed only where its finest bucket ends.
    private static let windowsOutLimit = 4

    /// A series that was not added to in so many windows is idle.
    private static let idleWindows: UInt32 = 600

    init(
        number: Int, transport: Transport, seriesLimit: Int, schedule: FlushSchedule, shared: Shared
    ) {
        self.number = number
        self.schedule = schedule
        self.shared = shared
        queue = DispatchQueue(label: "hailwhale.lane.\(number)")
        table = SeriesTable(limit: seriesLimit)
        receipt = LaneReceipt(transport: transport)
    }

    /// Series in the table.
    var seriesCount: Int { table.count }

    // MARK: Taking in

    /// Takes in one datagram; `publish()` must follow the last of a batch.
    func take(datagram: UnsafeBufferPointer<UInt8>, isTrusted: Bool) {
        receipt.datagrams += 1
        guard let first = datagram.first else { return }
        if first == Lane.frameMark {
            receipt.sealedUnknownKey += 1
            return
        }
        guard isTrusted else {
            receipt.reject(.unsealed, count: Lane.lineCount(of: datagram))
            return
        }
        scanAndAdd(datagram, firstNumber: 1)
        spyRing.note(datagram, number: shared.spyNumbers.take(), millis: tickMillis)
    }

    /// Takes in whole lines of a stream; `publish()` must follow.
    ///
    /// - Parameter isTooLong: the text is the beginning of a line that is longer than any may be.
    func take(stream text: UnsafeBufferPointer<UInt8>, isTrusted: Bool, isTooLong: Bool) {
        guard isTrusted else {
            receipt.datagrams += 1
            receipt.reject(.unsealed, count: Lane.lineCount(of: text))
            return
        }
        var start = 0
        while start < text.count, !isTooLong {
            let end = Lane.cut(text, from: start)
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
        return spyRing.lines(after: number, scanner: shared.scanner, buffer: buffer)
    }

    /// The first byte of a sealed frame.
    private static let frameMark: UInt8 = 0xF8

    /// Opens or closes the window by the clock, before a batch is taken in.
    func tick(nowMillis: Int64) {
        dispatchPrecondition(condition: .onQueue(queue))
        tickMillis = nowMillis
        if isOver(nowMillis), !table.sums.isEmpty, isDue(nowMillis) { close() }
        if table.sums.isEmpty { open(nowMillis) }
    }

    /// Enters in the books what was taken in since the last time.
    func publish() {
        guard receipt.datagrams > 0 || receipt.events > 0 || receipt.linesAccepted > 0 || !receipt.isQuiet
        else { return }
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
                let end = Lane.cut(text, from: start)
                let piece = UnsafeBufferPointer(rebasing: text[start..<min(end, text.count)])
                if piece.count > LineBuffer.textBytes {
                    refuse(.lineTooLong, number: number)
                    number += 1
                } else {
                    scanAndAdd(piece, firstNumber: number)
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
        // Escaped names can be longer than any datagram, so they stay outside the buffer; a hash reads eight bytes on.
        let identity = SeriesNameEncoder.identity(of: event.name)
        let padded = identity + [UInt8](repeating: 0, count: 8)
        buffer.removeAll()
        for (place, value) in event.micros.enumerated() { buffer.values[place] = value }
        var line = ScannedLine()
        line.identityLength = UInt32(identity.count)
        line.valueCount = UInt32(event.micros.count)
        line.timeSeconds = event.timeSeconds ?? ScannedLine.noTime
        padded.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            line.hash = shared.scanner.hash(base, count: identity.count)
            if let index = table.find(base, count: identity.count, hash: line.hash) {
                table.add(
                    line, of: buffer, to: index, finestSeconds: shared.ladder.finest.widthSeconds,
                    nowMillis: WallClock.millis)
            } else {
                admit(&line, identity: base)
            }
        }
        if let error = line.error { throw error }
    }

    private func scanAndAdd(_ text: UnsafeBufferPointer<UInt8>, firstNumber: UInt32) {
        let nowMillis = WallClock.millis
        let now = nowMillis / 1_000
        shared.scanner.scan(
            text, into: buffer, firstNumber: firstNumber,
            times: (now - shared.ladder.longestKeptSeconds)...(now + Limits.futureSeconds))
        if buffer.hasMembers { hashMembers() }
        table.add(buffer, finestSeconds: shared.ladder.finest.widthSeconds, nowMillis: nowMillis) {
            admit(&$0, identity: buffer.identities + Int($0.identityStart))
        }
        for place in 0..<buffer.lineCount {
            if let error = buffer.lines[place].error {
                refuse(error, number: buffer.lines[place].number)
            } else {
                receipt.linesAccepted += 1
                receipt.events += 1
                bodyReceipt?.accepted += 1
            }
        }
        if table.isWindowFull {
            publish()
            if let id = close() { bodyReceipt?.closedWindows.insert(id) }
            open(WallClock.millis)
        }
    }

    /// Replaces the members of sets by their hashes, which all agents must share.
    private func hashMembers() {
        for place in 0..<buffer.lineCount
        where buffer.lines[place].kind == .set && buffer.lines[place].error == nil {
            let start = Int(buffer.lines[place].valuesStart)
            let member = UnsafeBufferPointer(
                start: buffer.members + Int(buffer.values[start]), count: Int(buffer.values[start + 1]))
            buffer.values[start] = Int64(bitPattern: shared.digester(Array(member)).high)
        }
    }

    private func refuse(_ error: LineError, number: UInt32) {
        receipt.reject(error)
        bodyReceipt?.refusals.append(LineRefusal(line: number, reason: error))
    }

    // MARK: New series

    /// Takes in a line whose series is new, or refuses it.
    private func admit(_ line: inout ScannedLine, identity: UnsafePointer<UInt8>) {
        do throws(LineError) {
            let bytes = UnsafeBufferPointer(start: identity, count: Int(line.identityLength))
            let name = try SeriesNameParser.parse(Array(bytes))
            if !table.isFull {
                let index = table.insert(identity, count: bytes.count, hash: line.hash, name: name)
                table.add(
                    line, of: buffer, to: index, finestSeconds: shared.ladder.finest.widthSeconds,
                    nowMillis: WallClock.millis)
            } else {
                fold(name, line)
            }
        } catch {
            line.error = error
        }
    }

    /// Counts a line of a series that no longer fits under a shorter name: the first that has a place, or may take one
    /// of its stage's reserve.
    private func fold(_ name: SeriesName, _ line: ScannedLine) {
        for folded in FoldedName.stages(of: name) {
            let identity = SeriesNameEncoder.identity(of: folded.name) + [UInt8](repeating: 0, count: 8)
            let isPlaced = identity.withUnsafeBufferPointer { bytes -> Bool in
                guard let base = bytes.baseAddress else { return false }
                let count = bytes.count - 8
                let hash = shared.scanner.hash(base, count: count)
                var index = table.find(base, count: count, hash: hash)
                if index == nil, table.reserve(folded.stage, byteCount: count) {
                    index = table.insert(base, count: count, hash: hash, name: folded.name)
                }
                guard let index else { return false }
                add(line, of: name, as: folded, to: index)
                return true
            }
            if isPlaced { break }
        }
        receipt.seriesOverflow += 1
    }

    private func add(_ line: ScannedLine, of name: SeriesName, as folded: FoldedName, to index: Int) {
        guard name.kind == .counter, name.metrics.count > 1, folded.name.metrics != name.metrics else {
            table.add(
                line, of: buffer, to: index, finestSeconds: shared.ladder.finest.widthSeconds,
                nowMillis: WallClock.millis)
            return
        }
        let values = UnsafeBufferPointer(start: buffer.values + Int(line.valuesStart), count: Int(line.valueCount))
        table.add(
            folded.values(values, of: name), to: index,
            timeSeconds: line.timeSeconds == ScannedLine.noTime
                ? nil : shared.ladder.finest.startSeconds(ofBucket: shared.ladder.finest.bucket(at: line.timeSeconds)))
        table.sums.eventCount += 1
    }

    // MARK: Windows

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
        guard isCrowded || (table.count > 4_096 && windowCount % 256 == 0) else { return }
        guard table.idleShare(windows: Lane.idleWindows) > (isCrowded ? 0.1 : 0.5) else { return }
        (table, carried) = table.renewed(windows: Lane.idleWindows)
        generation += 1
        spares = []
    }

    // MARK: Text

    /// The end of the piece of a body that begins at `start`: as many whole lines as a scan takes, or one line
    /// that is too long for any.
    private static func cut(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        let most = start + LineBuffer.textBytes
        guard most < text.count else { return text.count }
        if let newline = text[start..<most].lastIndex(of: UInt8(ascii: "\n")) { return newline + 1 }
        return (text[most...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count - 1) + 1
    }

    private static func lineCount(of text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var count: UInt64 = 0
        for line in text.split(separator: UInt8(ascii: "\n")) where Array(line) != [UInt8(ascii: "\r")] { count += 1 }
        return count
    }
}

extension LaneReceipt {
    /// Whether nothing was refused either.
    fileprivate var isQuiet: Bool { sealedUnknownKey == 0 && rejected.allSatisfy { $0 == 0 } }
}
