import Testing

@testable import HailAgent

@Suite("Options page")
struct OptionsPageTests {
    private static let path =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/docs/options.md"

    /// The rows that `docs/options.md` must hold, in the table's order.
    private static let rows = RunOption.all.map { option in
        let flag = option.valueName.isEmpty ? "--\(option.name)" : "--\(option.name) \(option.valueName)"
        let places = option.isFileOnly ? "file only" : "`\(RunOption.variable(of: option.name))`"
        let cells = [
            option.isFileOnly ? "`\"\(option.name)\"`" : "`\(flag)`", places,
            option.standard.map { "`\($0)`" } ?? "none",
            option.change.rawValue, option.meaning, option.allowed,
        ]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    @Test("holds the row of every option and no other")
    func rows() throws {
        let page = String(decoding: try BlockingIO.readFile(Self.path, limitBytes: 1 << 20), as: UTF8.self)
        let written = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        #expect(written == Self.rows, "the rows should be:\n\(Self.rows.joined(separator: "\n"))")
    }
}
