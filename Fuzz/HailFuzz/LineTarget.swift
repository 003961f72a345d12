import HailAggregate
import HailCore
import HailSeal
import HailStore
import HailWire

@testable import HailAgent

/// A datagram, from its bytes to batches and back out of the spool.
enum LineTarget {
    nonisolated(unsafe) private static let buffer = LineBuffer()
    private static let scanner = LineScanner(seed: 7)
    static let now: Int64 = 1_700_000_000

    static func run(_ bytes: [UInt8]) {
        guard bytes.count <= LineBuffer.textBytes else { return }
        let text = bytes.filter { $0 != 0x0A }.count == bytes.count ? bytes + [0x0A] : bytes
        guard text.count <= LineBuffer.textBytes else { return }

        // A text is the sum of its lines.
        let whole = gather(text)
        var good: [UInt8] = []
        var accepted = 0
        var outcomes: [UInt32: LineError?] = [:]
        for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let alone = gather(Array(line))
            claim(alone.outcomes.count <= 1, "one line is read as \(alone.outcomes.count)")
            guard let outcome = alone.outcomes[1] else { continue }
            outcomes[UInt32(index + 1)] = outcome
            // A line counts wholly or not at all.
            claim(
                alone.events == (outcome == nil ? 1 : 0), "\(alone.events) events of a line that is \(outcome as Any)")
            if outcome != nil {
                claim(alone.body.series.isEmpty, "a refused line left something")
                continue
            }
            accepted += 1
            good += line + [0x0A]
        }
        claim(whole.outcomes == outcomes, "\(whole.outcomes) of the text, \(outcomes) of its lines")
        claim(whole.events == UInt64(accepted), "\(whole.events) events of \(accepted) lines")
        if accepted < outcomes.count, good.count <= LineBuffer.textBytes {
            claim(sorted(gather(good).body) == sorted(whole.body), "refused lines change what their neighbours count")
        }

        // What the spool keeps of a window is the window.
        let encoded = whole.body.encoded
        claim(WindowBody(decoding: encoded)?.encoded == encoded, "a body does not read back")
        let again = SpoolTarget.rebuild(encoded, startSeconds: now)
        claim(again.map { sorted($0.body) } == sorted(whole.body), "a window comes back from the spool as another")
        claim(again?.cells == whole.cells, "a window from the spool makes other cells")
    }

    /// The series of a body, which have no order; where gauges take turns, one has several pieces.
    private static func sorted(_ body: WindowBody) -> [[UInt8]] {
        var pieces: [[UInt8]: WindowBody.Series] = [:]
        for series in body.series {
            let key = series.identity + "\(series.timeSeconds as Any)".utf8 + [series.sums.isEmpty ? 1 : 0]
            if pieces[key]?.samples.append(contentsOf: series.samples) == nil { pieces[key] = series }
        }
        return pieces.values.map { WindowBody(condition: nil, series: [$0]).encoded }
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    private struct Gathered {
        var outcomes: [UInt32: LineError?] = [:]
        var events: UInt64 = 0
        var body = WindowBody(condition: nil, series: [])
        var cells: [String] = []
    }

    /// What `Lane` does with a text, and the flush queue with its window.
    private static func gather(_ text: [UInt8]) -> Gathered {
        let table = SeriesTable(limit: 10_000)
        var gathered = Gathered()
        text.withUnsafeBufferPointer {
            scanner.scan($0, into: buffer, times: (now - 1_000_000_000)...(now + Limits.futureSeconds))
            if buffer.used.pointee.hasMembers { buffer.hashMembers(NameDigest.blake2b) }
            table.add(buffer, finestSeconds: 10, nowMillis: now * 1_000) { line in
                let identity = buffer.identity(of: line)
                do throws(LineError) {
                    let name = try SeriesNameParser.parse(identity)
                    let again = SeriesNameEncoder.identity(of: name)
                    claim((try? SeriesNameParser.parse(again)) == name, "a name is written as another")
                    let index = table.insert(identity, count: identity.count, hash: line.hash, name: name)
                    table.add(line, of: buffer, to: index, finestSeconds: 10, nowMillis: now * 1_000)
                } catch {
                    line.error = error
                }
            }
            for place in 0..<buffer.lineCount {
                gathered.outcomes[buffer.lines[place].number] = .some(buffer.lines[place].error)
            }
        }
        let (sums, newSeries) = table.close(nextSums: WindowSums())
        gathered.events = sums.eventCount
        let window = ClosedWindow(
            id: 1, lane: 0, generation: 0, startSeconds: now, sums: sums, newSeries: newSeries, arena: table.arena)
        (gathered.body, gathered.cells) = SpoolTarget.fold(window)
        return gathered
    }
}
