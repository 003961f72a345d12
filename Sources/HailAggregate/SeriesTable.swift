internal import CBytes
package import HailCore

/// The series of one lane: identity bytes → where their sums are.
///
/// Adding to a known series allocates nothing.
///
/// Open addressing with linear probing over 64-bit slots (upper half: the hash's, lower half: the place of its series in the
/// arena); the load stays under two thirds. Confined to its lane's queue. Series are never removed one by one: a lane
/// whose table is mostly idle starts a new one (see `idleShare`).
package final class SeriesTable {
    private typealias Series = IdentityArena.Series

    package let arena = IdentityArena()
    /// The most series it takes.
    package let limit: Int
    /// The most bytes of series it takes.
    private let arenaLimit: Int
    private var slots: UnsafeMutablePointer<UInt64>
    private var slotMask: Int
    /// The places of the series in the arena, by index.
    private var places: [UInt32] = []
    private var window: UInt32 = 1
    private var gathered = WindowSums()
    private var newSeries: [NewSeries] = []
    /// By stage: what shorter names took of the reserves.
    private var reserved = [(count: Int, byteCount: Int)](
        repeating: (0, 0), count: FoldedName.Stage.allCases.count)

    /// Timed entries a window may hold; the lane closes it early when they are used up.
    package static let timedLimit = 65_536
    /// Samples a window may hold, likewise.
    package static let sampleLimit = 524_288
    /// From so many series on, a lookup mostly misses the second-level cache, and lines are looked up ahead.
    private static let prefetchCount = 8_192
    /// How many lines are looked up at a time.
    private static let stride = 32

    package init(limit: Int) {
        self.limit = limit
        arenaLimit = 152 * limit + (1 << 20)
        slotMask = 1_023
        slots = SeriesTable.slots(1_024)
    }

    deinit { slots.deallocate() }

    package var count: Int { places.count }

    /// What was gathered in the open window.
    package var sums: WindowSums { gathered }

    /// Whether a new series would be one too many.
    package var isFull: Bool {
        let folded = reserved.reduce((0, 0)) { ($0.0 + $1.count, $0.1 + $1.byteCount) }
        return count - folded.0 >= limit || arena.byteCount - folded.1 >= arenaLimit
    }

    /// Whether the window should be closed before more timed lines or samples are added.
    package var isWindowFull: Bool {
        gathered.timed.count >= SeriesTable.timedLimit || gathered.samples.count >= SeriesTable.sampleLimit
    }

    /// Whether a shorter name of a series that has no place may take one of its stage's reserve; it is taken here.
    ///
    /// Each stage has a sixteenth of the limit, in series and bytes, and at least 64; the last takes whatever comes,
    /// which is a dozen names at most.
    package func reserve(_ stage: FoldedName.Stage, byteCount: Int) -> Bool {
        let places = max(64, limit / 16)
        let taken = reserved[stage.rawValue]
        guard stage == .all || (taken.count < places && taken.byteCount + byteCount <= 128 * places) else {
            return false
        }
        reserved[stage.rawValue] = (taken.count + 1, taken.byteCount + byteCount)
        return true
    }

    /// Adds every accepted line of a buffer; `unknown` is called for a line whose series the table does not have,
    /// and either refuses it (sets `error`) or sees to it that it is added.
    ///
    /// - Parameters:
    ///   - finestSeconds: width of the buckets that timed lines are sorted into.
    ///   - nowMillis: the time of lines that bring none, for gauges.
    package func add(
        _ buffer: LineBuffer, finestSeconds: Int64, nowMillis: Int64 = 0, unknown: (inout ScannedLine) -> Void
    ) {
        var position = 0
        while position < buffer.lineCount {
            let end = min(position + SeriesTable.stride, buffer.lineCount)
            if places.count >= SeriesTable.prefetchCount { prefetch(buffer, position..<end) }
            while position < end {
                position = addKnown(buffer, position..<end, finestSeconds: finestSeconds, nowMillis: nowMillis)
                guard position < end else { break }
                unknown(&buffer.lines[position])
                position += 1
            }
        }
    }

    /// Adds lines up to the first whose series the table does not have, and returns its place.
    private func addKnown(
        _ buffer: LineBuffer, _ range: Range<Int>, finestSeconds: Int64, nowMillis: Int64
    ) -> Int {
        let (slots, slotMask, chunks, window) = (slots, slotMask, arena.chunks, window)
        let (lines, values, noTime) = (buffer.lines, buffer.values, ScannedLine.noTime)
        var sums = gathered.sums
        var eventCount: UInt64 = 0
        var position = range.lowerBound
        defer { gathered.eventCount &+= eventCount }
        while position < range.upperBound {
            let line = lines + position
            guard line.pointee.error == nil else {
                position &+= 1
                continue
            }
            // A message's head is empty.
            if line.pointee.headLength > 0 {
                guard
                    let series = SeriesTable.find(
                        line.pointee.head, Int(line.pointee.headLength), line.pointee.tail,
                        Int(line.pointee.tailLength), line.pointee.hash, slots, slotMask, chunks)
                else { break }
                if case .counter = series.pointee.kind, line.pointee.valueCount == 1,
                    line.pointee.timeSeconds == noTime
                {
                    if series.pointee.lastWindow != window {
                        touch(series)
                        sums = gathered.sums
                    }
                    sums[Int(series.pointee.firstSum)] &+= Int128(values[Int(line.pointee.valuesStart)])
                } else {
                    add(line.pointee, of: buffer, to: series, finestSeconds: finestSeconds, nowMillis: nowMillis)
                    sums = gathered.sums
                }
            }
            eventCount &+= 1
            position &+= 1
        }
        return position
    }

    /// Has the slots and then the series of lines on their way from memory before they are needed.
    private func prefetch(_ buffer: LineBuffer, _ range: Range<Int>) {
        let (slots, slotMask, chunks, lines) = (slots, slotMask, arena.chunks, buffer.lines)
        for position in range {
            bytes_prefetch(slots + (Int(truncatingIfNeeded: lines[position].hash) & slotMask))
        }
        for position in range {
            let hash = lines[position].hash
            let slot = slots[Int(truncatingIfNeeded: hash) & slotMask]
            guard slot >> 32 == hash >> 32, slot != 0 else { continue }
            let series = IdentityArena.series(UInt32(truncatingIfNeeded: slot), in: chunks)
            bytes_prefetch(series)
            bytes_prefetch(UnsafeRawPointer(series) + 64)
        }
    }

    @inline(__always)
    private static func find(
        _ head: UnsafePointer<UInt8>, _ headLength: Int, _ tail: UnsafePointer<UInt8>, _ tailLength: Int,
        _ hash: UInt64, _ slots: UnsafeMutablePointer<UInt64>, _ slotMask: Int,
        _ chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
    ) -> UnsafeMutablePointer<Series>? {
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while true {
            let entry = slots[slot]
            if entry == 0 { return nil }
            if entry >> 32 == hash >> 32 {
                let series = IdentityArena.series(UInt32(truncatingIfNeeded: entry), in: chunks)
                let identity = IdentityArena.identity(of: series)
                if Int(series.pointee.identityLength) == headLength &+ tailLength,
                    bytes_equal(identity, head, headLength) != 0,
                    bytes_equal(identity + headLength, tail, tailLength) != 0
                {
                    return series
                }
            }
            slot = (slot &+ 1) & slotMask
        }
    }

    /// The index of a series, or nil.
    package func find(_ identity: UnsafePointer<UInt8>, count: Int, hash: UInt64) -> Int? {
        SeriesTable.find(identity, count, identity, 0, hash, slots, slotMask, arena.chunks)
            .map { Int($0.pointee.index) }
    }

    /// Adds one event's values to the series of an index.
    package func add(
        _ line: ScannedLine, of buffer: LineBuffer, to index: Int, finestSeconds: Int64, nowMillis: Int64 = 0
    ) {
        gathered.eventCount &+= 1
        add(line, of: buffer, to: series(index), finestSeconds: finestSeconds, nowMillis: nowMillis)
    }

    private func add(
        _ line: ScannedLine, of buffer: LineBuffer, to series: UnsafeMutablePointer<Series>, finestSeconds: Int64,
        nowMillis: Int64
    ) {
        guard series.pointee.kind == .counter else {
            addSamples(line, of: buffer, to: series, finestSeconds: finestSeconds, nowMillis: nowMillis)
            return
        }
        let values = buffer.values + Int(line.valuesStart)
        let slotCount = Int(series.pointee.slotCount)
        if line.timeSeconds != ScannedLine.noTime {
            let start = line.timeSeconds.floorDivided(by: finestSeconds) * finestSeconds
            for position in 0..<Int(line.valueCount) {
                let slot = WindowSums.TimedSlot(
                    startSeconds: start, series: series.pointee.index, slot: UInt32(position % slotCount))
                gathered.timed[slot, default: 0] &+= Int128(values[position])
            }
            keep(series)
            return
        }
        if series.pointee.lastWindow != window { touch(series) }
        let first = gathered.sums + Int(series.pointee.firstSum)
        if slotCount == 1 {
            for position in 0..<Int(line.valueCount) { first[0] &+= Int128(values[position]) }
        } else {
            for position in 0..<slotCount { first[position] &+= Int128(values[position]) }
        }
    }

    private func addSamples(
        _ line: ScannedLine, of buffer: LineBuffer, to series: UnsafeMutablePointer<Series>, finestSeconds: Int64,
        nowMillis: Int64
    ) {
        let kind = series.pointee.kind
        let values = buffer.values + Int(line.valuesStart)
        let slotCount = Int(series.pointee.slotCount)
        let isTimed = line.timeSeconds != ScannedLine.noTime
        let stride = kind == .gauge ? 2 : 1
        // A member was replaced by its hash, which is one value.
        let count = kind == .set ? 1 : Int(line.valueCount) / stride
        for position in 0..<count {
            gathered.samples.append(
                WindowSums.Sample(
                    series: series.pointee.index, slot: UInt16(position % slotCount),
                    isMove: kind == .gauge && values[2 * position + 1] == 1, value: values[stride * position],
                    extra: kind == .gauge ? (isTimed ? line.timeSeconds * 1_000 : nowMillis) : line.weightMicros,
                    startSeconds: isTimed
                        ? line.timeSeconds.floorDivided(by: finestSeconds) * finestSeconds : ScannedLine.noTime))
        }
        series.pointee.lastWindow = window
    }

    /// Adds samples that were gathered elsewhere, to the series of the index.
    package func add(_ samples: [WindowSums.Sample], to index: Int) {
        for var sample in samples where sample.slot < series(index).pointee.slotCount {
            sample.series = UInt32(index)
            gathered.samples.append(sample)
        }
    }

    /// Takes a series in and returns its index.
    ///
    /// The caller has looked for it and checked `isFull`.
    package func insert(
        _ identity: UnsafePointer<UInt8>, count identityLength: Int, hash: UInt64, name: SeriesName
    ) -> Int {
        let index = append(
            identity, count: identityLength, hash: hash, slotCount: UInt16(name.metrics.count), kind: name.kind)
        newSeries.append(
            NewSeries(
                index: UInt32(index),
                identity: UnsafeBufferPointer(
                    start: IdentityArena.identity(of: series(index)), count: identityLength)))
        return index
    }

    private func append(
        _ identity: UnsafePointer<UInt8>, count identityLength: Int, hash: UInt64, slotCount: UInt16, kind: Kind
    ) -> Int {
        if (count + 1) * 3 > (slotMask + 1) * 2 { growSlots() }
        let index = count
        let place = arena.store(
            Series(
                lowHash: UInt32(truncatingIfNeeded: hash), lastWindow: 0, firstSum: 0, index: UInt32(index),
                identityLength: UInt32(identityLength), slotCount: slotCount, kind: kind),
            identity: identity)
        places.append(place)
        put((hash >> 32) << 32 | UInt64(place), lowHash: Int(truncatingIfNeeded: hash))
        return index
    }

    /// A table with the series alone that were added to in the last `windows` windows: those stay what they are,
    /// whatever comes to the new table first.
    ///
    /// To be called between windows. The old table is done with.
    package func renewed(windows: UInt32) -> (table: SeriesTable, carried: [CarriedSeries]) {
        let table = SeriesTable(limit: limit)
        var upperHashes = [UInt64](repeating: 0, count: count)
        for slot in 0...slotMask where slots[slot] != 0 {
            let series = IdentityArena.series(UInt32(truncatingIfNeeded: slots[slot]), in: arena.chunks)
            upperHashes[Int(series.pointee.index)] = slots[slot] >> 32
        }
        var carried: [CarriedSeries] = []
        for old in 0..<count where window &- series(old).pointee.lastWindow <= windows {
            let own = series(old).pointee
            let index = table.append(
                IdentityArena.identity(of: series(old)), count: Int(own.identityLength),
                hash: upperHashes[old] << 32 | UInt64(own.lowHash), slotCount: own.slotCount, kind: own.kind)
            carried.append(
                CarriedSeries(
                    oldIndex: UInt32(old),
                    identity: UnsafeBufferPointer(
                        start: IdentityArena.identity(of: table.series(index)), count: Int(own.identityLength))))
        }
        return (table, carried)
    }

    /// Adds sums that were gathered elsewhere: what the spool gives back.
    ///
    /// - Parameter timeSeconds: the start of a finest bucket, or nil for the window's own time.
    package func add(_ values: [Int128], to index: Int, timeSeconds: Int64?) {
        let series = series(index)
        if timeSeconds == nil, series.pointee.lastWindow != window { touch(series) }
        for (position, value) in values.prefix(Int(series.pointee.slotCount)).enumerated() {
            if let timeSeconds {
                let slot = WindowSums.TimedSlot(
                    startSeconds: timeSeconds, series: UInt32(index), slot: UInt32(position))
                gathered.timed[slot, default: 0] &+= value
            } else {
                gathered.sums[Int(series.pointee.firstSum) + position] &+= value
            }
        }
    }

    /// Hands out what was gathered and goes on with empty sums.
    package func close(nextSums: WindowSums) -> (sums: WindowSums, newSeries: [NewSeries]) {
        defer {
            gathered = nextSums
            newSeries = []
            window &+= 1
        }
        return (gathered, newSeries)
    }

    /// The share of series that were not added to in the last `windows` windows, 0…1.
    package func idleShare(windows: UInt32) -> Double {
        guard count > 0 else { return 0 }
        var idle = 0
        for index in 0..<count where window &- series(index).pointee.lastWindow > windows { idle += 1 }
        return Double(idle) / Double(count)
    }

    // MARK: Memory

    @inline(__always)
    private func series(_ index: Int) -> UnsafeMutablePointer<Series> {
        IdentityArena.series(places[index], in: arena.chunks)
    }

    /// Gives a series its place among the sums of the open window.
    private func touch(_ series: UnsafeMutablePointer<Series>) {
        series.pointee.lastWindow = window
        series.pointee.firstSum = gathered.touch(series.pointee.index, slotCount: Int(series.pointee.slotCount))
    }

    /// Keeps a series from being idle though its sums of this window may still be empty.
    private func keep(_ series: UnsafeMutablePointer<Series>) {
        if series.pointee.lastWindow != window { series.pointee.lastWindow = window &- 1 }
    }

    private func put(_ entry: UInt64, lowHash: Int) {
        var slot = lowHash & slotMask
        while slots[slot] != 0 { slot = (slot + 1) & slotMask }
        slots[slot] = entry
    }

    private func growSlots() {
        let old = slots
        let oldCount = slotMask + 1
        slots = SeriesTable.slots(oldCount * 2)
        slotMask = oldCount * 2 - 1
        for position in 0..<oldCount where old[position] != 0 {
            let series = IdentityArena.series(UInt32(truncatingIfNeeded: old[position]), in: arena.chunks)
            put(old[position], lowHash: Int(series.pointee.lowHash))
        }
        old.deallocate()
    }

    /// Empty slots; a power of two.
    private static func slots(_ count: Int) -> UnsafeMutablePointer<UInt64> {
        let byteCount = count * MemoryLayout<UInt64>.stride
        let hugeBytes = 1 << 21
        let isHuge = byteCount >= 2 * hugeBytes
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: isHuge ? hugeBytes : 64)
        if isHuge { bytes_advise_huge(memory, byteCount) }
        let slots = memory.bindMemory(to: UInt64.self, capacity: count)
        slots.initialize(repeating: 0, count: count)
        return slots
    }
}
