import Glibc
package import HailCore

/// What was accepted and is not yet safely in the store, on disk.
///
/// Segments of records are appended to and deleted as wholes. Not Sendable: it belongs to the flush queue.
package final class Spool {
    package let recovered: SpoolRecovery
    /// Reads batches back, from any queue.
    package let reader: SpoolReader

    private let folder: String
    package var limitBytes: Int
    private var ledger = SpoolLedger()
    /// The segment being written; nil until the next append.
    private var current: SpoolFile?
    /// Whether the segment being written holds batches.
    private var isInBatches = false
    private var nextNumber: UInt32 = 1
    private var keepsWhenTrimmed: Set<UInt32> = []
    private var merging: SpoolMerging

    package static let segmentBytes = 4 << 20
    package static let segmentSeconds: Int64 = 10

    /// Opens a folder that exists and works out what it still owes.
    ///
    /// - Parameter widths: seconds of the buckets that waiting windows are merged into, finest first; none: they never are.
    /// - Throws: `folder` if the files cannot be read. Bytes that make no sense are no error: see `recovered`.
    package init(
        folder: String, limitBytes: Int, widths: [Int64] = [], nowSeconds: Int64
    ) throws(StoreError) {
        self.folder = folder
        self.limitBytes = limitBytes
        merging = SpoolMerging(widths: widths, limitBytes: limitBytes)
        reader = SpoolReader(folder: folder)
        let files = try SpoolFile.list(folder)
        nextNumber = max(files.highestNumber, files.numbers.last ?? 0) + 1
        // Each file is read twice, and none is kept: all of them together may be far larger than memory.
        var replay = SpoolReplay()
        for number in files.numbers {
            let bytes = try SpoolFile.contents(folder + "/" + SpoolLocation.fileName(segment: number))
            replay.take(number, bytes, SpoolSegment(parsing: bytes))
        }
        var (recovery, aside) = replay.finish(nowSeconds: nowSeconds)
        for number in files.numbers {
            let name = SpoolLocation.fileName(segment: number)
            if aside.contains(number) {
                recovery.setAside.append(try SpoolFile.rename(name, in: folder, addingSuffix: ".aside"))
                continue
            }
            let bytes = try SpoolFile.contents(folder + "/" + name)
            let segment = SpoolSegment(parsing: bytes)
            let isLast = number == files.numbers.last
            var isDamaged = replay.undecodable.contains(number)
            var length = bytes.count
            if segment.end == .torn, isLast, segment.goodBytes >= SpoolSegment.headerBytes {
                recovery.tornBytes += bytes.count - segment.goodBytes
                _ = truncate(folder + "/" + name, off_t(segment.goodBytes))
                length = segment.goodBytes
            } else if segment.end != .clean, !(segment.end == .torn && isLast) {
                isDamaged = true
            }
            if isDamaged {
                recovery.damaged.append(name)
                keepsWhenTrimmed.insert(number)
            }
            ledger.open(segment: number, byteCount: length)
            for placed in segment.records { Spool.note(placed.record, in: &ledger, nowSeconds: nowSeconds) }
        }
        recovered = recovery
    }

    /// Windows leave a quarter free, so that there is always room to merge some.
    private var windowLimitBytes: Int { merging.widths.isEmpty ? limitBytes : limitBytes - limitBytes / 4 }

    /// Bytes of all segments.
    package var byteCount: Int { ledger.byteCount }

    /// Writes one flush and waits until the disk has it; only then may its batches be sent.
    ///
    /// Batches alone may go past the limit: what they cover could otherwise never leave a full spool.
    ///
    /// - Returns: where each batch lies, in the order given.
    /// - Throws: `spoolFull`, or `spoolWrite`: then nothing of it was written.
    package func append(
        windows: [WindowRecord], batches: [(header: BatchHeader, bytes: [UInt8])], nowSeconds: Int64
    ) throws(StoreError) -> [SpoolLocation] {
        let record = SpoolRecord.flush(
            writtenSeconds: nowSeconds, windows: windows, batches: batches.map(\.bytes))
        let (bytes, offsets) = record.encoded
        guard windows.isEmpty || byteCount + bytes.count <= windowLimitBytes,
            bytes.count - SpoolRecord.headBytes <= SpoolRecord.largestPayload
        else { throw .spoolFull(limitBytes: limitBytes) }
        // Batches that wait for an answer would keep on disk what was merged long ago.
        if batches.isEmpty, isInBatches, (current?.byteCount ?? 0) > min(1 << 20, limitBytes / 16) { current = nil }
        let (number, start) = try write(bytes, nowSeconds: nowSeconds, syncing: true)
        if !batches.isEmpty { isInBatches = true }
        ledger.add(windows: windows, batches: batches.map(\.header))
        merging.remove(Set(batches.flatMap(\.header.covers)))
        for (window, offset) in zip(windows, offsets.bodies) where window.isMergeable {
            merging.add(waiting(window, segment: number, offset: start + offset))
        }
        return zip(offsets.batches, batches).map { offset, batch in
            SpoolLocation(
                segment: number, offsetBytes: start + offset, byteCount: batch.bytes.count,
                checksum: Checksum.crc32c(batch.bytes))
        }
    }

    private func waiting(
        _ window: WindowRecord, segment: UInt32, offset: Int, widthSeconds: Int64 = 0
    ) -> SpoolMerging.Waiting {
        SpoolMerging.Waiting(
            id: window.id,
            body: SpoolLocation(
                segment: segment, offsetBytes: offset, byteCount: window.body.count,
                checksum: Checksum.crc32c(window.body)),
            startSeconds: window.startSeconds, eventCount: window.eventCount, widthSeconds: widthSeconds)
    }

    /// Windows that are not merged from now on.
    package func keepApart(_ windows: Set<UInt64>) { merging.remove(windows) }

    /// Makes one window of several that wait, if there are enough or the spool is half full of them.
    ///
    /// - Parameters:
    ///   - id: a new window's.
    ///   - merge: makes one body of several, each with the second its window began in, in buckets of so many seconds;
    ///     nil if one does not read.
    /// - Returns: the windows that are replaced, or nil if there is nothing to merge.
    /// - Throws: `spoolFull` or `spoolWrite`: then everything is as it was.
    package func mergeWaiting(
        id: UInt64, nowSeconds: Int64,
        merge: (_ bodies: [(bytes: [UInt8], startSeconds: Int64)], _ widthSeconds: Int64) -> [UInt8]?
    ) throws(StoreError) -> [UInt64]? {
        let isCrowded = byteCount > limitBytes / 2 && merging.byteCount > limitBytes / 8
        guard
            let (run, width) = merging.next(
                isCrowded: isCrowded, room: limitBytes - byteCount - SpoolMerging.recordBytes),
            let first = merging.waiting[run].first
        else {
            return nil
        }
        let replaced = merging.waiting[run].map(\.id)
        var bodies: [(bytes: [UInt8], startSeconds: Int64)] = []
        for window in merging.waiting[run] {
            guard let bytes = reader.read(window.body) else { break }
            bodies.append((bytes, window.startSeconds))
        }
        guard bodies.count == run.count, let body = merge(bodies, width) else {
            merging.remove(Set(replaced))
            return nil
        }
        var residual = ShardSet()
        for id in replaced { residual.formUnion(ledger.uncovered(id)) }
        let window = WindowRecord(
            id: id, startSeconds: first.startSeconds,
            eventCount: merging.waiting[run].reduce(0) { $0 + $1.eventCount }, residual: residual, body: body)
        let record = SpoolRecord.merged(writtenSeconds: nowSeconds, replaced: replaced, window: window)
        let (bytes, offsets) = record.encoded
        guard byteCount + bytes.count <= limitBytes, bytes.count - SpoolRecord.headBytes <= SpoolRecord.largestPayload
        else {
            merging.remove(Set(replaced))
            throw .spoolFull(limitBytes: limitBytes)
        }
        // In a segment of its own: it is merged again at another time than what would lie around it.
        current = nil
        let (number, start) = try write(bytes, nowSeconds: nowSeconds, syncing: true)
        current = nil
        ledger.merge(replaced, into: window)
        merging.replace(
            run,
            with: waiting(window, segment: number, offset: start + (offsets.bodies.first ?? 0), widthSeconds: width))
        return replaced
    }

    /// Forgets what windows hold for a shard: it is lost to the agent.
    package func giveUp(_ windows: [UInt64], shard: Shard) {
        ledger.giveUp(windows, shard: shard)
        merging.remove(Set(windows))
    }

    /// Whether a restart would count what a window holds for a shard, unless a batch here covers it.
    package func owes(window: UInt64, to shard: Shard) -> Bool { ledger.owes(window: window, to: shard) }

    /// Notes that the store has batches.
    ///
    /// Not synced: losing the note costs one resend, which the store drops.
    ///
    /// - Throws: `spoolWrite`; the acknowledgement counts for `trim` all the same.
    package func appendAcknowledged(_ identities: [BatchIdentity], nowSeconds: Int64) throws(StoreError) {
        guard !identities.isEmpty else { return }
        let record = SpoolRecord.acknowledged(atSeconds: nowSeconds, batches: identities)
        let result: Result<Void, StoreError>
        do throws(StoreError) {
            _ = try write(record.encoded.bytes, nowSeconds: nowSeconds, syncing: false)
            result = .success(())
        } catch { result = .failure(error) }
        ledger.acknowledge(identities, atSeconds: nowSeconds)
        try result.get()
    }

    /// The bytes of a batch, or nil if its segment is gone.
    package func read(_ location: SpoolLocation) -> [UInt8]? { reader.read(location) }

    /// Deletes the segments of which every batch was acknowledged 30 s ago and every window is in batches.
    ///
    /// - Returns: the numbers of the segments deleted, for `StoreWriter.forget(segments:)`.
    @discardableResult
    package func trim(nowSeconds: Int64) -> [UInt32] {
        let gone = ledger.trim(nowSeconds: nowSeconds)
        for number in gone {
            if number == current?.number { current = nil }
            let name = SpoolLocation.fileName(segment: number)
            if keepsWhenTrimmed.remove(number) != nil {
                _ = try? SpoolFile.rename(name, in: folder, addingSuffix: ".damaged")
            } else {
                unlink(folder + "/" + name)
            }
        }
        return gone
    }

    private func write(
        _ bytes: [UInt8], nowSeconds: Int64, syncing: Bool
    ) throws(StoreError) -> (segment: UInt32, start: Int) {
        if let file = current,
            file.byteCount >= Spool.segmentBytes || nowSeconds - file.createdSeconds >= Spool.segmentSeconds
                || nowSeconds < file.createdSeconds
        {
            current = nil
        }
        if current == nil {
            let file = try SpoolFile(creating: nextNumber, in: folder, createdSeconds: nowSeconds)
            nextNumber += 1
            ledger.open(segment: file.number, byteCount: file.byteCount)
            current = file
            isInBatches = false
        }
        guard let file = current else { throw .spoolWrite(path: folder, reason: "no segment") }
        let start = file.byteCount
        do throws(StoreError) { try file.append(bytes, syncing: syncing) } catch {
            // After a failed write or sync nobody knows what this file holds beyond its last good byte.
            current = nil
            throw error
        }
        ledger.grow(byBytes: bytes.count)
        return (file.number, start)
    }

    private static func note(_ record: SpoolRecord, in ledger: inout SpoolLedger, nowSeconds: Int64) {
        switch record {
        case .flush(_, let windows, let batches):
            let headers = batches.compactMap { Batch(decoding: $0[...]).map(BatchHeader.init) }
            ledger.add(windows: windows, batches: headers)
        case .acknowledged(let time, let identities):
            // A time that lies ahead was written before the clock was set back.
            ledger.acknowledge(identities, atSeconds: min(time, nowSeconds))
        case .merged(_, let replaced, let window): ledger.merge(replaced, into: window)
        }
    }
}
