import Testing

@testable import HailNet

@Suite("HTTP target")
struct HTTPTargetTests {
    struct Row: Sendable {
        let raw: String
        let path: String
        let parts: [String]
        let query: [HTTPField]
        let authority: String?

        init(_ raw: String, _ path: String, _ parts: [String], _ query: [(String, String)] = [], at: String? = nil) {
            self.raw = raw
            self.path = path
            self.parts = parts
            self.query = query.map { HTTPField($0.0, $0.1) }
            authority = at
        }
    }

    @Test(
        "is taken apart",
        arguments: [
            Row("/", "/", [""]),
            Row("/totals", "/totals", ["totals"]),
            Row("/totals?", "/totals", ["totals"]),
            Row("/a/b/", "/a/b/", ["a", "b", ""]),
            Row("//a", "//a", ["", "a"]),
            Row("/p/a%2Fb.gif", "/p/a/b.gif", ["p", "a/b.gif"]),
            Row("/p/a+b", "/p/a+b", ["p", "a+b"]),
            Row("/c%6Funt", "/count", ["count"]),
            Row("/x?a=1&a=2&b", "/x", ["x"], [("a", "1"), ("a", "2"), ("b", "")]),
            Row("/x?&&a=1&", "/x", ["x"], [("a", "1")]),
            Row("/x?=v", "/x", ["x"], [("", "v")]),
            Row("/x?a=b=c", "/x", ["x"], [("a", "b=c")]),
            Row("/x?a=1;b=2", "/x", ["x"], [("a", "1;b=2")]),
            Row("/x?a+b=c+d%2Be", "/x", ["x"], [("a b", "c d+e")]),
            Row("/x?tz=+0100", "/x", ["x"], [("tz", " 0100")]),
            Row("/x?a%26b=%3D%25", "/x", ["x"], [("a&b", "=%")]),
            Row("/x?q=/a?b", "/x", ["x"], [("q", "/a?b")]),
            Row("/x?pk=\"test\"&d=[\"empty\"]", "/x", ["x"], [("pk", "\"test\""), ("d", "[\"empty\"]")]),
            Row("/x?m={%22a%22:1}", "/x", ["x"], [("m", "{\"a\":1}")]),
            Row("/x?n=%C3%a9", "/x", ["x"], [("n", "é")]),
            Row("/x?n=é", "/x", ["x"], [("n", "é")]),
            Row("/x?n=%F0%9F%90%8B", "/x", ["x"], [("n", "🐋")]),
            Row("http://h:1/x?a=1", "/x", ["x"], [("a", "1")], at: "h:1"),
            Row("HTTP://h", "/", [""], at: "h"),
            Row("http://h?a=1", "/", [""], [("a", "1")], at: "h"),
            Row("*", "*", []),
        ])
    func reads(row: Row) {
        let target = HTTPTarget(parsing: Array(row.raw.utf8))
        #expect(target.problem == nil)
        #expect(target.raw == row.raw)
        #expect(target.path == row.path)
        if row.raw != "*" { #expect(target.pathParts == row.parts) }
        #expect(target.query == row.query)
        #expect(target.authority == row.authority)
    }

    @Test(
        "has a problem",
        arguments: [
            ("", HTTPProblem.malformedTarget), ("totals", .malformedTarget), ("?a=1", .malformedTarget),
            ("ftp://h/x", .malformedTarget), ("http:///x", .malformedTarget), ("http://", .malformedTarget),
            ("h:443", .malformedTarget), ("%2Ftotals", .malformedTarget),
            ("/%", .malformedEscape), ("/%2", .malformedEscape), ("/%2G", .malformedEscape), ("/% 2", .controlByte),
            ("/x?a=%", .malformedEscape), ("/x?%zz=1", .malformedEscape), ("/x?a=%u0041", .malformedEscape),
            ("/x?a=%+1", .malformedEscape), ("/x?a=%-1", .malformedEscape),
            ("/%00", .nul), ("/x?a=%00", .nul), ("/x?a%00=1", .nul), ("/x?a=b\0", .nul),
            ("/a b", .controlByte), ("/x?a=\t", .controlByte), ("/x?a=\u{7F}", .controlByte),
            ("/%ff", .notUTF8), ("/x?a=%C3", .notUTF8), ("/x?a=%C0%80", .notUTF8), ("/x?a=%ED%A0%80", .notUTF8),
            ("/x?a=%C3&b=%A9", .notUTF8), ("/a%C3/%A9", .notUTF8), ("/x?a=%F4%90%80%80", .notUTF8),
        ])
    func problems(raw: String, problem: HTTPProblem) {
        #expect(HTTPTarget(parsing: Array(raw.utf8)).problem == problem)
    }

    @Test("never traps, whatever the bytes")
    func bytes() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("/%?&=+0aF%\u{0}\u{FF}é :".utf8)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...12, using: &random)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            let target = HTTPTarget(parsing: bytes)
            #expect(target.problem != nil || target.path.hasPrefix("/") || target.path == "*")
        }
    }
}
