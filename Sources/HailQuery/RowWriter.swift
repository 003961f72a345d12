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
            bytes += (columns + dimensions.map(\.text)).map(RowWriter.field).joined(separator: ",").utf8
            bytes += [13, 10]
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
        try add([], ending: ending(cells, path: path))
    }

    /// Adds a row whose last cells are written already.
    ///
    /// - Throws: `too_costly`.
    mutating func add(_ cells: [Cell], ending: [UInt8]) throws(QueryError) {
        guard bytes.count <= RowWriter.mostBytes else { throw RowWriter.tooCostly("\(RowWriter.mostBytes >> 20) MiB") }
        if !isCSV { bytes += (rowCount > 0 ? ",{" : "{").utf8 }
        rowCount += 1
        for (index, cell) in cells.enumerated() {
            RowWriter.append(cell, named: isCSV ? nil : columns[index], to: &bytes)
            bytes.append(UInt8(ascii: ","))
        }
        bytes += ending
    }

    /// The last cells of rows that have them in common, and their dimension's.
    func ending(_ cells: [Cell], path: [String]) -> [UInt8] {
        var ending: [UInt8] = []
        for (index, cell) in cells.enumerated() {
            if index > 0 { ending.append(UInt8(ascii: ",")) }
            let column = columns.count - cells.count + index
            RowWriter.append(cell, named: isCSV ? nil : columns[column], to: &ending)
        }
        let name = Name(path.first ?? "")
        let own = path.dropFirst().joined(separator: ">")
        if isCSV {
            for dimension in dimensions {
                ending.append(UInt8(ascii: ","))
                if dimension == name { ending += RowWriter.field(own).utf8 }
            }
            return ending + [13, 10]
        }
        if !path.isEmpty, !columns.contains(where: { Name($0) == name }) {
            ending.append(UInt8(ascii: ","))
            JSONString.append(name.text, to: &ending)
            ending.append(UInt8(ascii: ":"))
            JSONString.append(own, to: &ending)
        }
        return ending + [UInt8(ascii: "}")]
    }

    /// Appends a cell, with its column's name in JSON.
    ///
    /// Static: as a method it would work on a copy of the writer, and so copy all that is written.
    private static func append(_ cell: Cell, named name: String?, to bytes: inout [UInt8]) {
        if let name {
            JSONString.append(name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
        }
        switch cell {
        case .number(let text): bytes += text.utf8
        case .text(let text): if name == nil { bytes += field(text).utf8 } else { JSONString.append(text, to: &bytes) }
        case .flag(let flag): bytes += (flag ? "true" : "false").utf8
        case .missing: bytes += (name == nil ? "" : "null").utf8
        }
    }

    /// A text as a field; one that a spreadsheet would work out as a formula gets an apostrophe before it.
    private static func field(_ text: String) -> String {
        var text = text
        if let first = text.utf8.first, "=+-@\t\r".utf8.contains(first) { text = "'" + text }
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13: false
            default: true
            }
        }
        return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// What was written.
    consuming func finished() -> JSONValue {
        if !isCSV { bytes.append(UInt8(ascii: "]")) }
        return .written(bytes)
    }
}
