package import HailCore

/// The series of one lane: identity bytes → where their sums are.
///
/// Adding to a known series allocates nothing.
///
/// Open addressing with linear probing over 64-bit slots (upper half: hash, lower half: index + 1); the load stays
/// under two thirds. Confined to its lane's queue. Series are never removed one by one: a lane whose table is mostly
/// idle starts a new one (see `idleShare`).
package final class SeriesTable {
    private struct Series {
        var identity: UnsafePointer<UInt8>
        var identityLength: UInt32
        var firstSlot: UInt32
        var slotCount: UInt16
        var kind: Kind
        /// The number of the window it was last added to in; at most one less where values came with a time.
        var lastWindow: UInt32
    }

    package let arena = IdentityArena()
    /// The most series it takes.
    package let limit: Int
    /// The most bytes of identities it takes.
    private let arenaLimit: Int
    private var slots: UnsafeMutablePointer<UInt64>
    private var slotMask: Int
    private var series: UnsafeMutablePointer<Series>
    private var seriesCapacity: Int
    package private(set) var count = 0
    private var valueSlotCount = 0
    private var window: UInt32 = 1
    package private(set) var sums = WindowSums()
    private var newSeries: [NewSeries] = []
    /// By stage: what shorter names took of the reserves.
    private var reserved = [(count: Int, byteCount: Int)](
        repeating: (0, 0), count: FoldedName.Stage.allCases.count)

    /// Timed entries a window may hold; the lane closes it early when they are used up.
    package static let timedLimit = 65_536
    /// Samples a window may hold, likewise.
    package static let sampleLimit = 524_288

    package init(limit: Int) {
        self.limit = limit
        arenaLimit = 128 * limit + (1 << 20)
        slotMask = 1_023
        slots = .allocate(capacity: 1_024)
        slots.initialize(repeating: 0, count: 1_024)
        seriesCapacity = 256
        series = .allocate(capacity: seriesCapacity)
    }

    deinit {
        slots.deallocate()
        series.deallocate()
    }

    /// Whether a new series would be one too many.
    package var isFull: Bool {
        let folded = reserved.reduce((0, 0)) { ($0.0 + $1.count, $0.1 + $1.byteCount) }
        return count - folded.0 >= limit || arena.byteCount - folded.1 >= arenaLimit
    }

    /// Whether the window should be closed before more timed lines or samples are added.
    package var isWindowFull: Bool {
        sums.timed.count >= SeriesTable.timedLimit || sums.samples.count >= SeriesTable.sampleLimit
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
    @inline(__always)
    package func add(
        _ buffer: LineBuffer, finestSeconds: Int64, nowMillis: Int64 = 0, unknown: (inout ScannedLine) -> Void
    ) {
        for position in 0..<buffer.lineCount where buffer.lines[position].error == nil {
            if buffer.lines[position].isMessage {
                sums.eventCount += 1
                continue
            }
            let identity = buffer.identities + Int(buffer.lines[position].identityStart)
            if let index = find(
                identity, count: Int(buffer.lines[position].identityLength), hash: buffer.lines[position].hash)
            {
                add(
                    buffer.lines[position], of: buffer, to: index, finestSeconds: finestSeconds,
                    nowMillis: nowMillis)
            } else {
                unknown(&buffer.lines[position])
            }
        }
    }

    /// The index of a series, or nil.
    ///
    /// Eight bytes past the identity's end may be read.
    package func find(_ identity: UnsafePointer<UInt8>, count: Int, hash: UInt64) -> Int? {
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        let tag = hash >> 32
        while true {
            let entry = slots[slot]
            if entry == 0 { return nil }
            if entry >> 32 == tag {
                let index = Int(entry & 0xFFFF_FFFF) - 1
                if Int(series[index].identityLength) == count, Self.equal(series[index].identity, identity, count) {
                    return index
                }
            }
            slot = (slot + 1) & slotMask
        }
    }

    /// Adds one event's values.
    @inline(__always)
    package func add(
        _ line: ScannedLine, of buffer: LineBuffer, to index: Int, finestSeconds: Int64, nowMillis: Int64 = 0
    ) {
        sums.eventCount += 1
        guard series[index].kind == .counter else {
            addSamples(line, of: buffer, to: index, finestSeconds: finestSeconds, nowMillis: nowMillis)
            return
        }
        let values = buffer.values + Int(line.valuesStart)
        let slotCount = Int(series[index].slotCount)
        if line.timeSeconds != ScannedLine.noTime {
            let start = line.timeSeconds.floorDivided(by: finestSeconds) * finestSeconds
            for position in 0..<Int(line.valueCount) {
                let slot = WindowSums.TimedSlot(
                    startSeconds: start, series: UInt32(index), slot: UInt32(position % slotCount))
                sums.timed[slot, default: 0] &+= Int128(values[position])
            }
            // Not idle, but not touched either: its sums of this window may still be empty.
            if series[index].lastWindow != window { series[index].lastWindow = window &- 1 }
            return
        }
        if series[index].lastWindow != window {
            series[index].lastWindow = window
            sums.touched.append(UInt32(index))
        }
        let first = sums.sums + Int(series[index].firstSlot)
        if slotCount == 1 {
            for position in 0..<Int(line.valueCount) { first[0] &+= Int128(values[position]) }
        } else {
            for position in 0..<slotCount { first[position] &+= Int128(values[position]) }
        }
    }

    private func addSamples(
        _ line: ScannedLine, of buffer: LineBuffer, to index: Int, finestSeconds: Int64, nowMillis: Int64
    ) {
        let kind = series[index].kind
        let values = buffer.values + Int(line.valuesStart)
        let slotCount = Int(series[index].slotCount)
        let isTimed = line.timeSeconds != ScannedLine.noTime
        let stride = kind == .gauge ? 2 : 1
        // A member was replaced by its hash, which is one value.
        let count = kind == .set ? 1 : Int(line.valueCount) / stride
        for position in 0..<count {
            sums.samples.append(
                WindowSums.Sample(
                    series: UInt32(index), slot: UInt16(position % slotCount),
                    isMove: kind == .gauge && values[2 * position + 1] == 1, value: values[stride * position],
                    extra: kind == .gauge ? (isTimed ? line.timeSeconds * 1_000 : nowMillis) : line.weightMicros,
                    startSeconds: isTimed
                        ? line.timeSeconds.floorDivided(by: finestSeconds) * finestSeconds : ScannedLine.noTime))
        }
        series[index].lastWindow = window
    }

    /// Adds samples that were gathered elsewhere, to the series of the index.
    package func add(_ samples: [WindowSums.Sample], to index: Int) {
        for var sample in samples where sample.slot < series[index].slotCount {
            sample.series = UInt32(index)
            sums.samples.append(sample)
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
                index: UInt32(index), firstSlot: series[index].firstSlot, name: name,
                identity: UnsafeBufferPointer(start: series[index].identity, count: identityLength)))
        return index
    }

    private func append(
        _ identity: UnsafePointer<UInt8>, count identityLength: Int, hash: UInt64, slotCount: UInt16, kind: Kind
    ) -> Int {
        if count == seriesCapacity { growSeries() }
        if (count + 1) * 3 > (slotMask + 1) * 2 { growSlots() }
        let index = count
        series[index] = Series(
            identity: arena.store(identity, count: identityLength), identityLength: UInt32(identityLength),
            firstSlot: UInt32(valueSlotCount), slotCount: slotCount, kind: kind, lastWindow: 0)
        if kind == .counter { valueSlotCount += Int(slotCount) }
        sums.reserve(valueSlotCount)
        count += 1
        place(index, hash: hash)
        return index
    }

    /// A table with the series alone that were added to in the last `windows` windows: those stay what they are,
    /// whatever comes to the new table first.
    ///
    /// To be called between windows. The old table is done with.
    package func renewed(windows: UInt32) -> (table: SeriesTable, carried: [CarriedSeries]) {
        let table = SeriesTable(limit: limit)
        var tags = [UInt64](repeating: 0, count: count)
        for slot in 0...slotMask where slots[slot] != 0 { tags[Int(slots[slot] & 0xFFFF_FFFF) - 1] = slots[slot] >> 32 }
        var carried: [CarriedSeries] = []
        for old in 0..<count where window &- series[old].lastWindow <= windows {
            let own = series[old]
            let index = table.append(
                own.identity, count: Int(own.identityLength), hash: tags[old] << 32 | UInt64(hashes[old]),
                slotCount: own.slotCount, kind: own.kind)
            let moved = table.series[index]
            carried.append(
                CarriedSeries(
                    oldIndex: UInt32(old), firstSlot: moved.firstSlot,
                    identity: UnsafeBufferPointer(start: moved.identity, count: Int(moved.identityLength))))
        }
        return (table, carried)
    }

    /// Adds sums that were gathered elsewhere: what the spool gives back.
    ///
    /// - Parameter timeSeconds: the start of a finest bucket, or nil for the window's own time.
    package func add(_ values: [Int128], to index: Int, timeSeconds: Int64?) {
        for (position, value) in values.prefix(Int(series[index].slotCount)).enumerated() {
            if let timeSeconds {
                let slot = WindowSums.TimedSlot(
                    startSeconds: timeSeconds, series: UInt32(index), slot: UInt32(position))
                sums.timed[slot, default: 0] &+= value
            } else {
                sums.sums[Int(series[index].firstSlot) + position] &+= value
            }
        }
        if timeSeconds == nil, series[index].lastWindow != window {
            series[index].lastWindow = window
            sums.touched.append(UInt32(index))
        }
    }

    /// Hands out what was gathered and goes on with empty sums.
    package func close(nextSums: WindowSums) -> (sums: WindowSums, newSeries: [NewSeries]) {
        defer {
            sums = nextSums
            sums.reserve(valueSlotCount)
            newSeries = []
            window &+= 1
        }
        return (sums, newSeries)
    }

    /// The share of series that were not added to in the last `windows` windows, 0…1.
    package func idleShare(windows: UInt32) -> Double {
        guard count > 0 else { return 0 }
        var idle = 0
        for index in 0..<count where window &- series[index].lastWindow > windows { idle += 1 }
        return Double(idle) / Double(count)
    }

    // MARK: Memory

    private func place(_ index: Int, hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while slots[slot] != 0 { slot = (slot + 1) & slotMask }
        slots[slot] = (hash >> 32) << 32 | UInt64(index + 1)
        hashes.append(UInt32(truncatingIfNeeded: hash))
    }

    /// The lower halves of the hashes, by index: with the upper halves in the slots, growing needs no rehashing.
    private var hashes: [UInt32] = []

    private func growSlots() {
        let old = slots
        let oldCount = slotMask + 1
        slots = .allocate(capacity: oldCount * 2)
        slots.initialize(repeating: 0, count: oldCount * 2)
        slotMask = oldCount * 2 - 1
        for position in 0..<oldCount where old[position] != 0 {
            var slot = Int(hashes[Int(old[position] & 0xFFFF_FFFF) - 1]) & slotMask
            while slots[slot] != 0 { slot = (slot + 1) & slotMask }
            slots[slot] = old[position]
        }
        old.deallocate()
    }

    private func growSeries() {
        let larger = UnsafeMutablePointer<Series>.allocate(capacity: seriesCapacity * 2)
        larger.moveInitialize(from: series, count: count)
        series.deallocate()
        series = larger
        seriesCapacity *= 2
    }

    @inline(__always)
    private static func equal(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var index = 0
        while index < count {
            var difference =
                UnsafeRawPointer(left + index).loadUnaligned(as: UInt64.self).littleEndian
                ^ UnsafeRawPointer(right + index).loadUnaligned(as: UInt64.self).littleEndian
            let left = count - index
            if left < 8 { difference &= (1 << UInt64(8 * left)) - 1 }
            if difference != 0 { return false }
            index += 8
        }
        return true
    }
}
