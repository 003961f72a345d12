import HailCore
import HailWire

/// What one line says, as the scanner and the parser read it together.
struct ReadLine: Equatable {
    var number: UInt32
    /// Nil for a refused line.
    var name: SeriesName?
    var error: LineError?
    /// Of a counter: millionths by metric, in the order of the name's metrics.
    var sums: [Int128] = []
    /// Of a timer: millionths of each value, by metric.
    var values: [[Int64]] = []
    /// Of a timer: millionths of what each value stands for.
    var weightMicros: Int64 = 1_000_000
    /// Of a gauge: how it is set and moved, by metric.
    var steps: [[Step]] = []
    /// Of a set.
    var member: [UInt8]?
    /// Whether the line is an event for people.
    var isMessage = false
    var timeSeconds: Int64?
    var identity: [UInt8] = []
    var hash: UInt64 = 0

    /// What one value does to a gauge.
    enum Step: Equatable {
        case set(Double)
        case move(Double)
    }

    /// Reads every line of a text, copied to memory of exactly its size.
    static func all(
        of text: [UInt8], buffer: LineBuffer = LineBuffer(), seed: UInt64 = 7, sign: GaugeSign = .auto
    ) -> [ReadLine] {
        text.withUnsafeBufferPointer {
            LineScanner(seed: seed, gaugeSign: sign).scan($0, into: buffer)
            return (0..<buffer.lineCount).map { ReadLine(buffer.lines[$0], of: buffer) }
        }
    }

    /// Reads a text of one line.
    static func only(_ text: String, sign: GaugeSign = .auto) -> ReadLine? {
        let lines = all(of: Array(text.utf8), sign: sign)
        return lines.count == 1 ? lines.first : nil
    }

    init(_ line: ScannedLine, of buffer: LineBuffer) {
        number = line.number
        error = line.error
        guard error == nil else { return }
        identity = buffer.identity(of: line)
        hash = line.hash
        timeSeconds = line.timeSeconds == ScannedLine.noTime ? nil : line.timeSeconds
        isMessage = line.isMessage
        guard !isMessage else { return }
        do throws(LineError) {
            let parsed = try SeriesNameParser.parse(identity)
            name = parsed
            take(line, of: buffer, as: parsed)
        } catch {
            self.error = error
        }
    }

    private mutating func take(_ line: ScannedLine, of buffer: LineBuffer, as name: SeriesName) {
        let all = (0..<Int(line.valueCount)).map { buffer.values[Int(line.valuesStart) + $0] }
        let slotCount = Int(line.slotCount)
        switch name.kind {
        case .counter:
            sums = [Int128](repeating: 0, count: name.metrics.count)
            for (position, value) in all.enumerated() { sums[position % slotCount] += Int128(value) }
        case .timer:
            weightMicros = line.weightMicros
            values = [[Int64]](repeating: [], count: name.metrics.count)
            for (position, value) in all.enumerated() { values[position % slotCount].append(value) }
        case .gauge:
            steps = [[Step]](repeating: [], count: name.metrics.count)
            for position in 0..<(all.count / 2) {
                let value = Double(bitPattern: UInt64(bitPattern: all[2 * position]))
                steps[position % slotCount].append(all[2 * position + 1] == 1 ? .move(value) : .set(value))
            }
        case .set:
            guard all.count == 2 else { return }
            member = Array(UnsafeBufferPointer(start: buffer.members + Int(all[0]), count: Int(all[1])))
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
