import HailCore

/// What a spool held when it was opened: what is still owed to the store, and the tail that may be asked for again.
package struct SpoolRecovery: Equatable, Sendable {
    package struct Batch: Equatable, Sendable {
        package let header: BatchHeader
        package let location: SpoolLocation
        /// When the store acknowledged it (Unix seconds); nil: it is owed.
        package let acknowledgedSeconds: Int64?

        package var isAcknowledged: Bool { acknowledgedSeconds != nil }
    }

    /// A window of which something is not known to be in the store.
    package struct Window: Equatable, Sendable {
        package let id: UInt64
        package let startSeconds: Int64
        package let eventCount: UInt64
        /// Shards whose cells are in no batch: they are in `body` only.
        package let uncovered: ShardSet
        /// Batches that bring the rest and were not acknowledged.
        package let outstanding: [BatchIdentity]
        package let body: [UInt8]
    }

    /// In the order they were written.
    package var batches: [Batch] = []
    package var windows: [Window] = []
    /// Files whose records are too old to be replayed, by the name they have now.
    package var setAside: [String] = []
    /// Files with bytes that do not read; what came before those counts.
    package var damaged: [String] = []
    /// Bytes of a record that was being written when the agent died.
    package var tornBytes = 0

    /// Seconds after which a record is set aside instead of replayed: the guards that would stop a second
    /// application live twice as long.
    package static let replayableSeconds: Int64 = 4 * 86_400

    /// Works out what segments, in their order, still owe.
    ///
    /// - Returns: the recovery, without names of files, and the numbers of segments to set aside.
    static func recover(
        from segments: [(number: UInt32, bytes: [UInt8], segment: SpoolSegment)], nowSeconds: Int64
    ) -> (recovery: SpoolRecovery, aside: Set<UInt32>, undecodable: Set<UInt32>) {
        var windows: [(record: WindowRecord, segment: UInt32)] = []
        var places: [UInt64: Int] = [:]
        var batches: [(header: BatchHeader, location: SpoolLocation)] = []
        var known: Set<BatchIdentity> = []
        var acknowledged: [BatchIdentity: Int64] = [:]
        var lastWritten: [UInt32: Int64] = [:]
        var undecodable: Set<UInt32> = []
        for (number, bytes, segment) in segments {
            lastWritten[number] = segment.createdSeconds
            for placed in segment.records {
                switch placed.record {
                case .flush(let written, let added, let encoded):
                    lastWritten[number] = written
                    for window in added {
                        places[window.id] = windows.count
                        windows.append((window, number))
                    }
                    for (batch, offset) in zip(encoded, placed.batchOffsets) {
                        guard let decoded = HailCore.Batch(decoding: batch[...]) else {
                            undecodable.insert(number)
                            continue
                        }
                        let header = BatchHeader(decoded)
                        for id in header.covers {
                            if let place = places[id] { windows[place].record.residual.remove(header.shard) }
                        }
                        guard known.insert(header.identity).inserted else { continue }
                        let checksum = Checksum.crc32c(bytes[offset..<(offset + batch.count)])
                        let location = SpoolLocation(
                            segment: number, offsetBytes: offset, byteCount: batch.count, checksum: checksum)
                        batches.append((header, location))
                    }
                case .acknowledged(let time, let identities):
                    for identity in identities { acknowledged[identity] = time }
                }
            }
        }

        let tooOld = Set(lastWritten.filter { $0.value < nowSeconds - replayableSeconds }.keys)
        var aside: Set<UInt32> = []
        for (header, location) in batches where acknowledged[header.identity] == nil {
            if tooOld.contains(location.segment) { aside.insert(location.segment) }
        }
        for (record, segment) in windows where !record.residual.isEmpty && tooOld.contains(segment) {
            aside.insert(segment)
        }

        var recovery = SpoolRecovery()
        var outstanding: [UInt64: [BatchIdentity]] = [:]
        for (header, location) in batches where !aside.contains(location.segment) {
            let time = acknowledged[header.identity]
            recovery.batches.append(Batch(header: header, location: location, acknowledgedSeconds: time))
            if time == nil {
                for id in header.covers { outstanding[id, default: []].append(header.identity) }
            }
        }
        for (record, segment) in windows where !aside.contains(segment) {
            let owed = outstanding[record.id] ?? []
            guard !owed.isEmpty || !record.residual.isEmpty else { continue }
            recovery.windows.append(
                Window(
                    id: record.id, startSeconds: record.startSeconds, eventCount: record.eventCount,
                    uncovered: record.residual, outstanding: owed, body: record.body))
        }
        return (recovery, aside, undecodable)
    }
}
