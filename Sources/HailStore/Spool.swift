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
    private var nextNumber: UInt32 = 1
    private var keepsWhenTrimmed: Set<UInt32> = []

    package static let segmentBytes = 4 << 20
    package static let segmentSeconds: Int64 = 10

    /// Opens a folder that exists and works out what it still owes.
    ///
    /// - Throws: `folder` if the files cannot be read. Bytes that make no sense are no error: see `recovered`.
    package init(folder: String, limitBytes: Int, nowSeconds: Int64) throws(StoreError) {
        self.folder = folder
        self.limitBytes = limitBytes
        reader = SpoolReader(folder: folder)
        let files = try SpoolFile.list(folder)
        var segments: [(number: UInt32, bytes: [UInt8], segment: SpoolSegment)] = []
        for number in files.numbers {
            let path = folder + "/" + SpoolLocation.fileName(segment: number)
            let bytes = try SpoolFile.contents(path)
            segments.append((number, bytes, SpoolSegment(parsing: bytes)))
        }
        nextNumber = max(files.highestNumber, files.numbers.last ?? 0) + 1

        var (recovery, aside, undecodable) = SpoolRecovery.recover(from: segments, nowSeconds: nowSeconds)
        for (number, bytes, segment) in segments {
            let name = SpoolLocation.fileName(segment: number)
            if aside.contains(number) {
                recovery.setAside.append(try SpoolFile.rename(name, in: folder, addingSuffix: ".aside"))
                continue
            }
            let isLast = number == segments.last?.number
            var length = bytes.count
            if segment.end == .torn, isLast, segment.goodBytes >= SpoolSegment.headerBytes {
                recovery.tornBytes += bytes.count - segment.goodBytes
                _ = truncate(folder + "/" + name, off_t(segment.goodBytes))
                length = segment.goodBytes
            } else if segment.end != .clean, !(segment.end == .torn && isLast) {
                undecodable.insert(number)
            }
            if undecodable.contains(number) {
                recovery.damaged.append(name)
                keepsWhenTrimmed.insert(number)
            }
            ledger.open(segment: number, byteCount: length)
            for placed in segment.records { Spool.note(placed.record, in: &ledger, nowSeconds: nowSeconds) }
        }
        recovered = recovery
    }

    /// Bytes of all segments.
    package var byteCount: Int { ledger.byteCount }

    /// Writes one flush and waits until the disk has it; only then may its batches be sent.
    ///
    /// - Returns: where each batch lies, in the order given.
    /// Batches alone may go past the limit: what they cover could otherwise never leave a full spool.
    ///
    /// - Throws: `spoolFull`, or `spoolWrite`: then nothing of it was written.
    package func append(
        windows: [WindowRecord], batches: [(header: BatchHeader, bytes: [UInt8])], nowSeconds: Int64
    ) throws(StoreError) -> [SpoolLocation] {
        let record = SpoolRecord.flush(
            writtenSeconds: nowSeconds, windows: windows, batches: batches.map(\.bytes))
        let (bytes, offsets) = record.encoded
        guard windows.isEmpty || byteCount + bytes.count <= limitBytes,
            bytes.count - SpoolRecord.headBytes <= SpoolRecord.largestPayload
        else { throw .spoolFull(limitBytes: limitBytes) }
        let (number, start) = try write(bytes, nowSeconds: nowSeconds, syncing: true)
        ledger.add(windows: windows, batches: batches.map(\.header))
        return zip(offsets, batches).map { offset, batch in
            SpoolLocation(
                segment: number, offsetBytes: start + offset, byteCount: batch.bytes.count,
                checksum: Checksum.crc32c(batch.bytes))
        }
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
        }
    }
}
