import HailCore

/// Works out what segments still owe: it is shown one after the other, in their order, and keeps none of their bytes.
struct SpoolReplay {
    private struct Window {
        var record: WindowRecord
        let body: SpoolLocation
    }

    private var windows: [Window] = []
    private var places: [UInt64: Int] = [:]
    private var batches: [(header: BatchHeader, location: SpoolLocation)] = []
    private var known: Set<BatchIdentity> = []
    private var acknowledged: [BatchIdentity: Int64] = [:]
    private var lastWritten: [UInt32: Int64] = [:]
    /// Segments with batches that do not read.
    private(set) var undecodable: Set<UInt32> = []

    mutating func take(_ number: UInt32, _ bytes: [UInt8], _ segment: SpoolSegment) {
        lastWritten[number] = segment.createdSeconds
        func location(_ offset: Int, _ count: Int) -> SpoolLocation {
            SpoolLocation(
                segment: number, offsetBytes: offset, byteCount: count,
                checksum: Checksum.crc32c(bytes[offset..<(offset + count)]))
        }
        for placed in segment.records {
            switch placed.record {
            case .flush(let written, let added, let encoded):
                lastWritten[number] = written
                for (window, offset) in zip(added, placed.offsets.bodies) {
                    take(window, location(offset, window.body.count))
                }
                for (batch, offset) in zip(encoded, placed.offsets.batches) {
                    guard let decoded = Batch(decoding: batch[...]) else {
                        undecodable.insert(number)
                        continue
                    }
                    take(BatchHeader(decoded), location(offset, batch.count))
                }
            case .acknowledged(let time, let identities):
                for identity in identities { acknowledged[identity] = time }
            case .merged(let written, let replaced, let window):
                lastWritten[number] = written
                for id in replaced { places[id].map { windows[$0].record.residual = ShardSet() } }
                if let offset = placed.offsets.bodies.first { take(window, location(offset, window.body.count)) }
            }
        }
    }

    private mutating func take(_ window: WindowRecord, _ body: SpoolLocation) {
        var record = window
        record.body = []
        places[window.id] = windows.count
        windows.append(Window(record: record, body: body))
    }

    private mutating func take(_ header: BatchHeader, _ location: SpoolLocation) {
        for id in header.covers { places[id].map { windows[$0].record.residual.remove(header.shard) } }
        if known.insert(header.identity).inserted { batches.append((header, location)) }
    }

    /// - Returns: the recovery, without names of files, and the numbers of segments to set aside.
    func finish(nowSeconds: Int64) -> (recovery: SpoolRecovery, aside: Set<UInt32>) {
        let tooOld = Set(lastWritten.filter { $0.value < nowSeconds - SpoolRecovery.replayableSeconds }.keys)
        var aside: Set<UInt32> = []
        for (header, location) in batches where acknowledged[header.identity] == nil {
            if tooOld.contains(location.segment) { aside.insert(location.segment) }
        }
        for window in windows where !window.record.residual.isEmpty && tooOld.contains(window.body.segment) {
            aside.insert(window.body.segment)
        }

        var recovery = SpoolRecovery()
        var outstanding: [UInt64: [BatchIdentity]] = [:]
        for (header, location) in batches where !aside.contains(location.segment) {
            let time = acknowledged[header.identity]
            recovery.batches.append(
                SpoolRecovery.Batch(header: header, location: location, acknowledgedSeconds: time))
            if time == nil {
                for id in header.covers { outstanding[id, default: []].append(header.identity) }
            }
        }
        for window in windows where !aside.contains(window.body.segment) {
            let record = window.record
            let owed = outstanding[record.id] ?? []
            guard !owed.isEmpty || !record.residual.isEmpty else { continue }
            recovery.windows.append(
                SpoolRecovery.Window(
                    id: record.id, startSeconds: record.startSeconds, eventCount: record.eventCount,
                    uncovered: record.residual, outstanding: owed, body: window.body))
        }
        return (recovery, aside)
    }
}
