import HailCore
import HailWire
import Testing

@Suite("Line")
struct LineScannerTests {
    @Test("is read as its subject, metrics and paths", arguments: LineScannerTests.acceptances)
    func accepted(line: String, shape: String, amounts: [String: String]) throws {
        let read = try #require(ReadLine.only(line))
        #expect(read.error == nil)
        #expect(Array(read.shape.utf8) == Array(shape.utf8))
        #expect(read.amounts == amounts)
    }

    static let acceptances: [(line: String, shape: String, amounts: [String: String])] = [
        ("a:1|c", "", ["a": "1"]),
        ("api.users.get:1|c", "api/users", ["get": "1"]),
        ("api..users...get:1|c", "api/users", ["get": "1"]),
        (".a.b.:2|c", "a", ["b": "2"]),
        ("a.b:1:2:3|c", "a", ["b": "6"]),
        ("a.b:1:-2:3|c|@0.5", "a", ["b": "4"]),
        (
            "Product.42:revenue=12.5:sales=1|c|#country:US,device:ios", "Product/42 country/US device/ios",
            ["revenue": "12.5", "sales": "1", "hits": "1"]
        ),
        ("Product.42:x=1|c|@0.1", "Product/42", ["x": "10", "hits": "10"]),
        ("Product.42:hits=3|c|@0.5", "Product/42", ["hits": "6"]),
        ("Product.42:hits=3:x=1|c", "Product/42", ["hits": "3", "x": "1"]),
        ("a:x=1:x=2|c", "a", ["x": "3", "hits": "1"]),
        ("_:x=1|c", "", ["x": "1", "hits": "1"]),
        ("a.hits:2|c", "a", ["hits": "2"]),
        ("a:x=+1|c", "a", ["x": "1", "hits": "1"]),
        ("a.b:1|c|#", "a", ["b": "1"]),
        ("a.b:1|c|#,,", "a", ["b": "1"]),
        ("a.b:1|c|#x,y:1,", "a x y/1", ["b": "1"]),
        ("a.b:1|c|#env:", "a env", ["b": "1"]),
        ("a.b:1|c|#geo:US>CA>SF", "a geo/US/CA/SF", ["b": "1"]),
        ("a.b:1|c|#v:>=2.0", "a v/>=2.0", ["b": "1"]),
        ("a.b:1|c|#v:a>", "a v/a>", ["b": "1"]),
        ("a.b:1|c|#v:>", "a v/>", ["b": "1"]),
        ("a.b:1|c|#url:http://x", "a url/http://x", ["b": "1"]),
        ("a.b:1|c|#a:1,a:1,a:2", "a a/1 a/1 a/2", ["b": "1"]),
        ("a%2Eb.c:1|c", "a.b", ["c": "1"]),
        ("a%2eb.c:1|c", "a.b", ["c": "1"]),
        ("a%41.c:1|c", "a%41", ["c": "1"]),
        ("100%.c:1|c", "100%", ["c": "1"]),
        ("a%253A.c:1|c", "a%3A", ["c": "1"]),
        ("a.b:1|c|#x:%25%2E%3A%7C%2C%23%3D%3E%40%2F", "a x/%.:|,#=>@/", ["b": "1"]),
        ("a.b:1|c|#x:a%3Eb", "a x/a>b", ["b": "1"]),
        ("a=b.c:1|c", "a=b", ["c": "1"]),
        ("a,b.c:1|c", "a,b", ["c": "1"]),
        ("a.b:1|c|c:in-123|e:pod|card:low|#x", "a x", ["b": "1"]),
        ("a.b:1|c|#x|@0.25|T1700000000", "a x", ["b": "4"]),
        ("é.ü:1|c|#ø:å", "é ø/å", ["ü": "1"]),
    ]

    @Test("is refused whole, under one name", arguments: LineScannerTests.refusals)
    func refused(line: String, reason: LineError) throws {
        let read = try #require(ReadLine.only(line))
        #expect(read.error == reason)
    }

    static let refusals: [(line: String, reason: LineError)] = [
        ("a", .missingValue), ("a|c", .missingValue), ("a|c|#x:y", .missingValue), ("a|c|#x:1|c", .missingValue),
        ("a:|c", .missingValue), ("a::1|c", .missingValue), ("a:1:|c", .missingValue), ("a:x=|c", .missingValue),
        (" ", .missingValue), ("|", .missingValue), ("_", .missingValue),
        (":1|c", .emptyName), (".:1|c", .emptyName), ("...:x=1|c", .emptyName), (":", .emptyName),
        ("a:1", .missingType), ("a:1|", .missingType), ("a:1||#x", .missingType), ("a:", .missingType),
        ("a:1|x", .badType), ("a:1|C", .badType), ("a:1|cc", .badType), ("a:1|c!", .badType), ("a:1|m", .badType),
        ("a:1|c ", .badType), ("a:1|:c", .badType), ("a:1|q:1|c", .badType),
        ("a:1|g!", .badType), ("a:1|msx", .badType), ("a:1|mS", .badType), ("a:1|S", .badType),
        ("a:1|c|", .unknownSection), ("a:1|c||#x", .unknownSection), ("a:1|c|x", .unknownSection),
        ("a:1|c|t1", .unknownSection), ("a:1|c|c", .unknownSection), ("a:1|c|cards:1", .unknownSection),
        ("a:1|c|#x|", .unknownSection),
        ("a:1|c|@1|@1", .duplicateSection), ("a:1|c|#a|#b", .duplicateSection), ("a:1|c|#|#", .duplicateSection),
        ("a:1|c|T1|T1", .duplicateSection),
        ("a:1|c:2|ms", .multiType), ("a:1|ms:2|c", .multiType), ("a:1|c|@0.1:2|c", .multiType),
        ("a,k=v:1|c", .tagsInName), ("a;k=v:1|c", .tagsInName), ("a,k=v:x=1|c", .tagsInName),
        ("a:1:x=2|c", .mixedForms), ("a:x=1:2|c", .mixedForms), ("a:x=1:|c", .mixedForms),
        ("a:b|c", .badNumber), ("a:1,5|c", .badNumber), ("a:1 |c", .badNumber), ("a:--1|c", .badNumber),
        ("a:1e|c", .badNumber), ("a:1e+|c", .badNumber), ("a:.|c", .badNumber), ("a:e5|c", .badNumber),
        ("a:nan|c", .badNumber), ("a:inf|c", .badNumber), ("a:0x10|c", .badNumber), ("a:1.2.3|c", .badNumber),
        ("a:1_0|c", .badNumber), ("a:x==1|c", .badNumber), ("a:x=1=2|c", .badNumber), ("a:١|c", .badNumber),
        ("a:1e13|c", .outOfRange), ("a:9000000000001|c", .outOfRange), ("a:-9000000000000.000001|c", .outOfRange),
        ("a:1e999999999999|c", .outOfRange), ("a:9e12|c|@0.5", .outOfRange), ("a:x=1:y=1e20|c", .outOfRange),
        ("a:1|c|@", .badRate), ("a:1|c|@x", .badRate), ("a:1|c|@0.5x", .badRate), ("a:1|c|@.", .badRate),
        ("a:1|c|@0", .rateOutOfRange), ("a:1|c|@-0.5", .rateOutOfRange), ("a:1|c|@1.1", .rateOutOfRange),
        ("a:1|c|@0.0000009", .rateOutOfRange), ("a:1|c|@10", .rateOutOfRange), ("a:1|c|@1e99", .rateOutOfRange),
        ("a:1|c|@1.0000000000000000000000001", .rateOutOfRange),
        ("a:1|c|T", .badTimestamp), ("a:1|c|Tx", .badTimestamp), ("a:1|c|T-1", .badTimestamp),
        ("a:1|c|T1.5", .badTimestamp), ("a:1|c|T1234567890123", .badTimestamp),
        ("a\tb:1|c", .controlByte), ("a:1\u{0}|c", .controlByte), ("a:1|c|#x\u{7F}", .controlByte),
        ("a:1|c|c:a\u{1}", .controlByte), ("a\rb", .controlByte), ("a:1|c\r\r", .controlByte),
        ("_.x:1|c", .reservedName), ("_:1|c", .reservedName), ("a._:1|c", .reservedName),
        ("a._.b:1|c", .reservedName), ("__other__.b:1|c", .reservedName), ("a:_=1|c", .reservedName),
        ("a:__other__=1|c", .reservedName), ("×.b:1|c", .reservedName), ("a.b:1|c|#_:x", .reservedName),
        ("a.b:1|c|#x:_", .reservedName), ("a.b:1|c|#x:a>__other__", .reservedName),
        ("a.b:1|c|#x×y:1", .reservedName), ("a.b:1|c|#x×\u{301}y:1", .reservedName), ("_._:x=1|c", .reservedName),
        ("a:=1|c", .emptyMetric), ("a:x=1:=2|c", .emptyMetric),
        ("a.b:1|c|#:x", .emptyTag), ("a.b:1|c|#a,:", .emptyTag),
        (dotted(18) + ":1|c", .tooManyParts), (dotted(17) + ":x=1|c", .tooManyParts),
        ("a." + long(257) + ":1|c", .partTooLong), (long(257) + ".a:1|c", .partTooLong),
        ("a.b:1|c|#" + long(257), .partTooLong), ("a.b:1|c|#x:" + long(257), .partTooLong),
        ("a:" + long(257) + "=1|c", .partTooLong),
        ("a.b:1|c|#" + tags(33), .tooManyTags),
        ("a.b:1|c|#x:1>2>3>4>5>6>7>8", .tooDeep),
        ("a:" + metrics(65) + "|c", .tooManyMetrics),
    ]

    @Test("may be as large as every limit says")
    func limits() throws {
        let lines = [
            dotted(17) + ":1|c", dotted(16) + ":x=1|c", long(256) + "." + long(256) + ":1|c",
            "a.b:1|c|#" + tags(32), "a.b:1|c|#x:1>2>3>4>5>6>7", "a:" + metrics(64) + "|c",
            "a.b:1|c|#" + String(repeating: "%2C", count: 256),
        ]
        for line in lines { #expect(ReadLine.only(line)?.name != nil, "\(line.prefix(40))") }
    }

    @Test(
        "must be UTF-8",
        arguments: [
            [0x61, 0xFF, 0x3A, 0x31, 0x7C, 0x63], Array("a:1|c|#x".utf8) + [0xC0, 0x80],
            Array("a:1|c|#x:".utf8) + [0xED, 0xA0, 0x80], Array("a:1|c|c:".utf8) + [0xE2, 0x82],
            [0xF8, 0x3A, 0x31, 0x7C, 0x63],
        ] as [[UInt8]])
    func utf8(bytes: [UInt8]) {
        #expect(ReadLine.all(of: bytes).map(\.error) == [.notUTF8])
    }

    @Test("has an error of every name that a line can raise")
    func everyReason() {
        let reached = Set(LineScannerTests.refusals.map(\.reason)).union([.notUTF8, .badEvent, .badServiceCheck])
        // Raised by whoever knows the clock, the table or the source.
        let others: Set<LineError> = [.late, .future, .lineTooLong, .unsealed]
        #expect(reached.union(others) == Set(LineError.allCases))
        #expect(reached.isDisjoint(with: others))
    }

    @Test("keeps its number among empty lines, and leaves the others alone when it is refused")
    func numbers() {
        let text = "\n\r\na:1|c\r\nbad\n\n\nb:2|c|#x\nc:1:y|c\nd:x=4|c"
        let lines = ReadLine.all(of: Array(text.utf8))
        #expect(lines.map(\.number) == [3, 4, 7, 8, 9])
        #expect(lines.map(\.error) == [nil, .missingValue, nil, .badNumber, nil])
        #expect(lines.map(\.amounts) == [["a": "1"], [:], ["b": "2"], [:], ["x": "4", "hits": "1"]])
    }

    @Test(
        "has a time where T gives one",
        arguments: [
            ("a:1|c", nil), ("a:1|c|T0", 0), ("a:1|c|T1700000000", 1_700_000_000),
            ("a:1|c|T999999999999|#x", 999_999_999_999),
        ] as [(String, Int64?)])
    func time(line: String, seconds: Int64?) throws {
        let read = try #require(ReadLine.only(line))
        #expect(read.error == nil)
        #expect(read.timeSeconds == seconds)
    }

    @Test("keeps its identity when values, rate, time and ignored sections change")
    func identity() {
        let same = [
            "a.b:1|c|#x:y", "a.b:2:3|c|#x:y", "a.b:1e3|c|@0.5|#x:y", "a.b:1|c|T5|#x:y|@1", "a.b:1|c|#x:y|c:id|e:z",
        ].compactMap { ReadLine.only($0) }
        #expect(same.count == 5)
        #expect(Set(same.map(\.identity)) == [Array("a.b:|c|#x:y".utf8)])
        #expect(Set(same.map(\.hash)).count == 1)
        let event = ["e:x=1:y=2|c", "e:x=5:y=-2.5|c|@0.1|T9|#"].compactMap { ReadLine.only($0) }
        #expect(Set(event.map(\.identity)) == [Array("e:x=:y=|c".utf8)])
    }
}

private func dotted(_ count: Int) -> String { (0..<count).map { "p\($0)" }.joined(separator: ".") }
private func long(_ count: Int) -> String { String(repeating: "x", count: count) }
private func tags(_ count: Int) -> String { (0..<count).map { "t\($0)" }.joined(separator: ",") }
private func metrics(_ count: Int) -> String { (0..<count).map { "m\($0)=1" }.joined(separator: ":") }
