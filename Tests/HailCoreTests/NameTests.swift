import HailCore
import Testing

@Suite("Name")
struct NameTests {
    @Test(
        "is another wherever a byte is another",
        arguments: [
            ("\u{E9}", "e\u{301}"), ("K", "\u{212A}"), ("\u{C5}", "\u{212B}"), ("a", "A"), ("", " "),
            ("\u{1E0A}\u{323}", "\u{1E0C}\u{307}"),
        ])
    func bytes(left: String, right: String) {
        #expect(Name(left) != Name(right))
        #expect(Name(left) == Name(left))
        #expect(Set([Name(left), Name(right), Name(left)]).count == 2)
        #expect(Set([Name.path(["a", left]), Name.path(["a", right])]).count == 2)
    }

    @Test("is in the order of its bytes")
    func order() {
        let texts = ["z", "\u{E9}", "e\u{301}", "", "e", "\u{1F40B}", "\u{FF5A}"]
        #expect(
            texts.map { Name($0) }.sorted().map(\.text.utf8.first) == [nil, 0x65, 0x65, 0x7A, 0xC3, 0xEF, 0xF0])
        #expect(Name("e") < Name("e\u{301}"))
    }

    @Test("does not run into the next one of a path")
    func paths() {
        #expect(Name.path(["ab", "c"]).hashValue != Name.path(["a", "bc"]).hashValue)
    }
}
