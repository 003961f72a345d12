import HailCore
import HailQuery
import Testing

@Suite("Dimension key")
struct DimensionKeyTests {
    @Test(
        "is written as HailWhale wrote it",
        arguments: [
            ([], "_"), (["country"], "country"), (["country", "US"], #"["country", "US"]"#),
            (["a", "x\"y\\z"], #"["a", "x\"y\\z"]"#), (["é"], "é"), (["é", "🐳"], #"["\u00e9", "\ud83d\udc33"]"#),
        ] as [([String], String)])
    func text(path: [String], text: String) {
        #expect(DimensionKey.text(path) == text)
    }
}
