import HailCore

/// Writes an answer as rows: flat objects of JSON, or lines of CSV.
///
/// Beside the columns of the answer, every dimension has a column of its own, named by the first part of its path, that
/// holds the other parts joined by `>`. A dimension that is named as a column of the answer has none; `dimension` has
/// the whole path in any case.
struct RowWriter {
    enum Cell {
        /// A JSON number.
        case number(String)
        case text(String)
        case flag(Bool)
        case missing
    }

    private let isCSV: Bool
    private let columns: [String]
    /// The dimensions that have a column of their own, in the order of their bytes.
    private let dimensions: [Name]
    private var bytes: [UInt8] = []
    private var rowCount = 0

    /// Cells that an answer may have.
    static let mostCells = 4_000_000
    /// Bytes that an answer may have: each row repeats its path, however long that is.
    private static let mostBytes = 128 << 20

    /// - Parameters:
    ///   - form: rows, or CSV.
    ///   - columns: of the answer.
    ///   - paths: of the rows.
    ///   - rowCount: how many there will be.
    /// - Throws: `too_costly`.
    init(_ form: AnswerForm, columns: [String], paths: [[String]], rowCount: Int) throws(QueryError) {
        isCSV = form == .csv
        self.columns = columns
        let taken = Set(columns.map { Name($0) })
        dimensions = Set(paths.compactMap(\.first).map { Name($0) }).subtracting(taken).sorted()
        let (cells, overflow) = rowCount.multipliedReportingOverflow(by: columns.count + (isCSV ? dimensions.count : 1))
        guard !overflow, cells <= RowWriter.mostCells else {
            throw RowWriter.tooCostly("\(RowWriter.mostCells) cells")
        }
        if isCSV {
            appendLine(columns.map { .text($0) } + dimensions.map { .text($0.text) })
        } else {
            bytes.append(UInt8(ascii: "["))
        }
    }

    private static func tooCostly(_ bound: String) -> QueryError {
        QueryError(
            .tooCostly, "format",
            "The answer would have more than \(bound); ask for fewer dimensions or metrics, less depth, or a shorter "
                + "period.")
    }

    /// Adds a row, with a cell for each column of the answer.
    ///
    /// - Throws: `too_costly`.
    mutating func add(_ cells: [Cell], path: [String]) throws(QueryError) {
        guard bytes.count <= RowWriter.mostBytes else { throw RowWriter.tooCostly("\(RowWriter.mostBytes >> 20) MiB") }
        let own = path.dropFirst().joined(separator: ">")
        rowCount += 1
        guard !isCSV else {
            appendLine(
                cells + dimensions.map { $0.text.utf8.elementsEqual((path.first ?? "").utf8) ? .text(own) : .missing })
            return
        }
        if rowCount > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "{"))
        for (index, cell) in cells.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONString.append(columns[index], to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            switch cell {
            case .number(let text): bytes += text.utf8
            case .text(let text): JSONString.append(text, to: &bytes)
            case .flag(let flag): bytes += (flag ? "true" : "false").utf8
            case .missing: bytes += "null".utf8
            }
        }
        if let dimension = path.first, !columns.contains(where: { $0.utf8.elementsEqual(dimension.utf8) }) {
            bytes.append(UInt8(ascii: ","))
            JSONString.append(dimension, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            JSONString.append(own, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func appendLine(_ cells: [Cell]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            switch cell {
            case .number(let text): bytes += text.utf8
            case .text(let text): bytes += RowWriter.field(text).utf8
            case .flag(let flag): bytes += (flag ? "true" : "false").utf8
            case .missing: break
            }
        }
        bytes += [13, 10]
    }

    /// A text as a field; one that a spreadsheet would work out as a formula gets an apostrophe before it.
    private static func field(_ text: String) -> String {
        var text = text
        if let first = text.utf8.first, "=+-@\t\r".utf8.contains(first) { text = "'" + text }
        guard text.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// What was written.
    consuming func finished() -> JSONValue {
        if !isCSV { bytes.append(UInt8(ascii: "]")) }
        return .written(bytes)
    }
}
