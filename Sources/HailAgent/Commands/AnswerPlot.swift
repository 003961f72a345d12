import HailCore

/// Plotpoints as a chart for the terminal: one for each group and metric, drawn with eighths of a block.
struct AnswerPlot {
    private struct Series {
        let title: String
        let times: [Int64]
        let values: [Double]
    }

    /// Rows of a chart.
    private static let height = 8
    /// The widest chart; more points are drawn as the means of neighbours.
    private static let width = 72
    private static let blocks: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    private var series: [Series] = []

    /// Nil where the answer is not one of plotpoints.
    init?(_ answer: JSONValue) {
        guard case .object(let groups) = answer else { return nil }
        for group in groups {
            guard case .object(let metrics) = group.value else { continue }
            for metric in metrics {
                guard case .array(let points) = metric.value else { return nil }
                var times: [Int64] = []
                var values: [Double] = []
                for point in points {
                    guard case .array(let pair) = point, pair.count == 2, case .number(let time) = pair[0],
                        let time = Int64(time)
                    else { continue }
                    // A gap is drawn as nothing.
                    let value: Double = if case .number(let text) = pair[1] { Double(text) ?? 0 } else { 0 }
                    times.append(time)
                    values.append(value)
                }
                let title = AnswerTable.path(group.name) + "  " + AnswerTable.visible(metric.name)
                series.append(Series(title: title, times: times, values: values))
            }
        }
        if series.isEmpty { return nil }
    }

    var text: String { series.map(AnswerPlot.chart).joined(separator: "\n") }

    private static func chart(_ series: Series) -> String {
        guard let first = series.times.first, let last = series.times.last else {
            return series.title + ": no points\n"
        }
        let columns = narrowed(series.values)
        let (low, high) = (min(0, columns.min() ?? 0), max(0, columns.max() ?? 0))
        let span = high > low ? high - low : 1
        let labels = [AnswerPlot.label(high), AnswerPlot.label(low)]
        let margin = labels.map(\.count).max() ?? 1
        var lines = [series.title]
        for row in (0..<height).reversed() {
            let label = row == height - 1 ? labels[0] : row == 0 ? labels[1] : ""
            var line = String(repeating: " ", count: margin - label.count) + label + " │"
            for value in columns {
                // Eighths of a row that the column fills, counted from the lowest value.
                let eighths = (value - low) / span * Double(height * 8) - Double(row * 8)
                line.append(blocks[min(8, max(0, Int(eighths + 0.5)))])
            }
            lines.append(line)
        }
        let (from, until) = (UTCTime.text(milliseconds: first), UTCTime.text(milliseconds: last))
        let gap = max(1, columns.count - from.count - until.count)
        lines.append(String(repeating: " ", count: margin) + " └" + String(repeating: "─", count: columns.count))
        lines.append(String(repeating: " ", count: margin + 2) + from + String(repeating: " ", count: gap) + until)
        return lines.joined(separator: "\n") + "\n"
    }

    /// Whole numbers as they are, others with up to three digits behind the point.
    private static func label(_ value: Double) -> String {
        guard abs(value) < 1e15 else { return "\(value)" }
        let thousandths = Int64(value * 1_000 + (value < 0 ? -0.5 : 0.5))
        guard thousandths % 1_000 != 0 else { return "\(thousandths / 1_000)" }
        return "\(Double(thousandths) / 1_000)"
    }

    private static func narrowed(_ values: [Double]) -> [Double] {
        guard values.count > width else { return values }
        return (0..<width).map { column in
            let slice = values[(column * values.count / width)..<((column + 1) * values.count / width)]
            return slice.reduce(0, +) / Double(slice.count)
        }
    }
}
