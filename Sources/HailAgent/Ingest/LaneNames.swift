import HailAggregate
import HailCore
import HailWire

/// Lines of series that a lane does not know.
extension Lane {
    /// Takes in a line whose series is new, or refuses it.
    func admit(_ line: inout ScannedLine) {
        do throws(LineError) {
            let identity = buffer.identity(of: line)
            let name = try SeriesNameParser.parse(identity)
            if !table.isFull {
                let index = table.insert(identity, count: identity.count, hash: line.hash, name: name)
                table.add(
                    line, of: buffer, to: index, finestSeconds: shared.ladder.finest.widthSeconds,
                    nowMillis: tickMillis)
            } else {
                fold(name, line)
            }
        } catch {
            line.error = error
            buffer.used.pointee.refused += 1
        }
    }

    /// Counts a line of a series that no longer fits under a shorter name: the first that has a place, or may take one
    /// of its stage's reserve.
    private func fold(_ name: SeriesName, _ line: ScannedLine) {
        for folded in FoldedName.stages(of: name) {
            let identity = SeriesNameEncoder.identity(of: folded.name)
            let isPlaced = identity.withUnsafeBufferPointer { bytes -> Bool in
                guard let base = bytes.baseAddress else { return false }
                let count = bytes.count
                let hash = scanner.hash(base, count: count)
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
                nowMillis: tickMillis)
            return
        }
        let values = UnsafeBufferPointer(start: buffer.values + Int(line.valuesStart), count: Int(line.valueCount))
        table.add(
            folded.values(values, of: name), to: index,
            timeSeconds: line.timeSeconds == ScannedLine.noTime
                ? nil : shared.ladder.finest.startSeconds(ofBucket: shared.ladder.finest.bucket(at: line.timeSeconds)))
        table.sums.eventCount += 1
    }
}
