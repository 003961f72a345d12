import HailCore
import HailWire

/// What one line says, as the scanner and the parser read it together.
struct ReadLine: Equatable {
    var number: UInt32
    /// Nil for a refused line.
    var name: SeriesName?
    var error: LineError?
    /// Millionths by metric, in the order of the name's metrics.
    var sums: [Int128] = []
    var timeSeconds: Int64?
    var identity: [UInt8] = []
    var hash: UInt64 = 0

    /// Reads every line of a text, copied to memory of exactly its size.
    static func all(of text: [UInt8], buffer: LineBuffer = LineBuffer(), seed: UInt64 = 7) -> [ReadLine] {
        text.withUnsafeBufferPointer { LineScanner(seed: seed).scan($0, into: buffer) }
        return (0..<buffer.lineCount).map { ReadLine(buffer.lines[$0], of: buffer) }
    }

    /// Reads a text of one line.
    static func only(_ text: String) -> ReadLine? {
        let lines = all(of: Array(text.utf8))
        return lines.count == 1 ? lines.first : nil
    }

    init(_ line: ScannedLine, of buffer: LineBuffer) {
        number = line.number
        error = line.error
        guard error == nil else { return }
        identity = buffer.identity(of: line)
        hash = line.hash
        timeSeconds = line.timeSeconds == ScannedLine.noTime ? nil : line.timeSeconds
        do throws(LineError) {
            let parsed = try SeriesNameParser.parse(identity)
            name = parsed
            sums = [Int128](repeating: 0, count: parsed.metrics.count)
            for position in 0..<Int(line.valueCount) {
                sums[position % Int(line.slotCount)] += Int128(buffer.values[Int(line.valuesStart) + position])
            }
        } catch {
            self.error = error
        }
    }

    /// The sums by metric, as decimal text; a metric named twice is added up.
    var amounts: [String: String] {
        var sumByMetric: [String: Int128] = [:]
        for (metric, sum) in zip(name?.metrics ?? [], sums) { sumByMetric[metric, default: 0] += sum }
        return sumByMetric.mapValues { Amount(micros: $0).description }
    }

    /// Subject, then paths, as one text.
    var shape: String {
        guard let name else { return "refused" }
        return ([name.subject] + name.paths).map { $0.joined(separator: "/") }.joined(separator: " ")
    }
}
