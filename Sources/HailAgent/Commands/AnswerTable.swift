import HailCore
import HailWire

/// The answer of `/totals`, `/plotpoints` or `/rank` as rows: one for each period or instant of each group, or one a group.
struct AnswerTable: Equatable {
    private(set) var header: [String] = []
    private(set) var rows: [[String]] = []
    /// What the answer says beside its numbers, such as `truncated_before`.
    private(set) var notes: [String] = []
    /// Columns of texts, before those of numbers.
    private var labelCount = 2

    /// Nil where the answer has another shape.
    init?(_ answer: JSONValue) {
        guard case .object(let members) = answer else { return nil }
        var groups: [(period: String?, name: String, cells: [JSONValue.Member])] = []
        for member in members {
            guard case .object(let inner) = member.value else {
                note(member)
                continue
            }
            // Totals nest period, group, metric; plotpoints nest group, metric.
            let isPeriod = inner.contains { if case .object = $0.value { true } else { false } }
            guard isPeriod else {
                groups.append((nil, member.name, inner))
                continue
            }
            for group in inner {
                guard case .object(let cells) = group.value else {
                    note(group)
                    continue
                }
                groups.append((member.name, group.name, cells))
            }
        }
        var metrics: [Name] = []
        for cell in groups.flatMap(\.cells) where !metrics.contains(Name(cell.name)) { metrics.append(Name(cell.name)) }
        let hasPeriods = groups.contains { $0.period != nil }
        // A ranking has one value a group and column.
        let isRanking = !hasPeriods && groups.contains { $0.cells.contains { AnswerTable.scalar($0.value) != nil } }
        labelCount = isRanking ? 1 : 2
        header = (isRanking ? ["dimension"] : [hasPeriods ? "period" : "time", "dimension"]) + metrics.map(\.text)
        for group in groups {
            let name = AnswerTable.path(group.name)
            if isRanking {
                guard let row = AnswerTable.values(group.cells, metrics) else { return nil }
                rows.append([name] + row)
            } else if let period = group.period {
                guard hasPeriods, let row = AnswerTable.values(group.cells, metrics) else { return nil }
                rows.append([period, name] + row)
            } else {
                guard !hasPeriods, let series = AnswerTable.series(group.cells, metrics) else { return nil }
                for (time, values) in series { rows.append([time, name] + values) }
            }
        }
    }

    private mutating func note(_ member: JSONValue.Member) {
        let text = String(decoding: JSONText.render(member.value), as: UTF8.self)
        notes.append("\(AnswerTable.visible(member.name)): \(AnswerTable.visible(text))")
    }

    private static func values(_ cells: [JSONValue.Member], _ metrics: [Name]) -> [String]? {
        var row: [String] = []
        for metric in metrics {
            guard let cell = cells.first(where: { Name($0.name) == metric }) else {
                row.append("")
                continue
            }
            guard let text = scalar(cell.value) else { return nil }
            row.append(text)
        }
        return row
    }

    /// The points of one group's metrics, side by side; every metric has the same instants.
    private static func series(_ cells: [JSONValue.Member], _ metrics: [Name]) -> [(String, [String])]? {
        var order: [String] = []
        var values: [String: [String]] = [:]
        for cell in cells {
            guard case .array(let points) = cell.value, let column = metrics.firstIndex(of: Name(cell.name)) else {
                return nil
            }
            for point in points {
                guard case .array(let pair) = point, pair.count == 2, case .number(let milliseconds) = pair[0],
                    let time = Int64(milliseconds), let text = scalar(pair[1])
                else { return nil }
                let stamp = UTCTime.text(milliseconds: time)
                if values[stamp] == nil {
                    order.append(stamp)
                    values[stamp] = [String](repeating: "", count: metrics.count)
                }
                values[stamp]?[column] = text
            }
        }
        return order.map { ($0, values[$0] ?? []) }
    }

    private static func scalar(_ value: JSONValue) -> String? {
        switch value {
        case .null: ""
        case .bool(let flag): flag ? "true" : "false"
        case .number(let text), .string(let text): text
        case .array, .object, .written: nil
        }
    }

    /// `["country", "US"]` as `country>US`; anything else as it is.
    static func path(_ name: String) -> String {
        guard name.hasPrefix("["), let value = try? JSONText.parse(Array(name.utf8)), case .array(let parts) = value
        else { return name }
        return parts.map { part in
            if case .string(let text) = part { text } else { String(decoding: JSONText.render(part), as: UTF8.self) }
        }.joined(separator: ">")
    }

    /// The table for eyes: columns aligned, numbers to the right.
    var text: String {
        let lines = ([header] + rows).map { $0.map(AnswerTable.visible) }
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            var text = ""
            for (column, cell) in line.enumerated() {
                let room = String(repeating: " ", count: widths[column] - cell.count)
                text += (column == 0 ? "" : "  ") + (column < labelCount ? cell + room : room + cell)
            }
            return text.trimmedRight + "\n"
        }.joined()
    }

    /// The table for programs (RFC 4180, lines ended by LF).
    var csv: String {
        ([header] + rows).map { line in
            line.map { cell in
                cell.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
                    ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
            }.joined(separator: ",") + "\n"
        }.joined()
    }

    /// A text without what could steer a terminal.
    static func visible(_ text: String) -> String {
        let quoted = Log.quoted(text)
        return quoted == "\"\(text)\"" ? text : quoted
    }
}

extension String {
    fileprivate var trimmedRight: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
