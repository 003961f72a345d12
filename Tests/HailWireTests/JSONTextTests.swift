import FoundationEssentials
import HailCore
import Testing

@testable import HailWire

@Suite("JSON text")
struct JSONTextTests {
    @Test(
        "refuses a key that stands twice, by its bytes, at any depth",
        arguments: [
            (#"{"a":1,"a":2}"#, 7), (#"{"a":1,"b":2,"a":1}"#, 13), (#"[{"x":{"a":1,"\u0061":2}}]"#, 13),
            (#"{"":1,"":2}"#, 6),
        ])
    func duplicateKeys(text: String, offset: Int) {
        let name = text.contains("\"\":") ? "" : "a"
        #expect(throws: JSONError.duplicateKey(name, offset: offset)) { try JSONText.parse(Array(text.utf8)) }
        #expect(throws: JSONError.self) { try JSONText.parseLenient(Array(text.utf8)) }
    }

    @Test("takes keys that differ by their bytes, and one key in two objects")
    func likeKeys() throws {
        for text in [#"{"a":{"a":1},"A":1}"#, "{\"\u{E9}\":1,\"e\u{301}\":2}", #"[{"a":1},{"a":1}]"#] {
            _ = try JSONText.parse(Array(text.utf8))
        }
    }

    @Test(
        "is read with the text of numbers and the order of members",
        arguments: [
            ("null", JSONValue.null), (" true ", .bool(true)), ("false", .bool(false)),
            ("0", .number("0")), ("-0.50", .number("-0.50")), ("1e-3", .number("1e-3")), ("1E+3", .number("1E+3")),
            ("123456789012345678901234567890123456789012345", .number("123456789012345678901234567890123456789012345")),
            (#""""#, .string("")), (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{C}\n\r\t")),
            (#""\u00e9\u2028\ud83d\udc0b""#, .string("é\u{2028}🐋")), ("\"é🐋\"", .string("é🐋")),
            ("[]", .array([])), ("[ ]", .array([])), ("{}", .object([])), ("{ }", .object([])),
            ("[1, \"a\",[]]", .array([.number("1"), .string("a"), .array([])])),
            (
                #"{"b":1,"a":{"c":[null]}}"#,
                .object([
                    .init("b", .number("1")), .init("a", .object([.init("c", .array([.null]))])),
                ])
            ),
            (#"{"b":1,"a":2}"#, .object([.init("b", .number("1")), .init("a", .number("2"))])),
            (
                "{\"\u{E9}\":1,\"e\u{301}\":2}",
                .object([.init("\u{E9}", .number("1")), .init("e\u{301}", .number("2"))])
            ),
        ])
    func good(text: String, value: JSONValue) throws {
        let read = try JSONText.parse(Array(text.utf8))
        #expect(read == value)
        #expect(try JSONText.parse(JSONText.render(read)) == value)
    }

    @Test(
        "is refused by its first fault",
        arguments: [
            ("", JSONError.empty), (" ", .unexpectedEnd), ("[", .unexpectedEnd), ("{\"a\"", .unexpectedEnd),
            ("\"a", .unexpectedEnd), ("tru", .unexpectedEnd), ("trux", .unexpectedByte(0x78, offset: 3)),
            ("[1,]", .unexpectedByte(0x5D, offset: 3)), ("{\"a\":1,}", .unexpectedByte(0x7D, offset: 7)),
            ("{a:1}", .unexpectedByte(0x61, offset: 1)), ("{\"a\" 1}", .unexpectedByte(0x31, offset: 5)),
            ("[1 2]", .unexpectedByte(0x32, offset: 3)), ("1 2", .trailingBytes(offset: 2)),
            ("nullx", .trailingBytes(offset: 4)), ("'a'", .unexpectedByte(0x27, offset: 0)),
            ("01", .badNumber(offset: 0)), ("1.", .badNumber(offset: 0)), (".5", .unexpectedByte(0x2E, offset: 0)),
            ("-", .badNumber(offset: 0)), ("+1", .unexpectedByte(0x2B, offset: 0)), ("1e", .badNumber(offset: 0)),
            ("1e+", .badNumber(offset: 0)), ("1-2", .badNumber(offset: 0)), ("--1", .badNumber(offset: 0)),
            ("NaN", .unexpectedByte(0x4E, offset: 0)), ("-Infinity", .badNumber(offset: 0)),
            (#""\x""#, .badEscape(offset: 1)), (#""\u12g4""#, .badEscape(offset: 1)),
            (#""\u12""#, .badEscape(offset: 1)), (#""\'""#, .badEscape(offset: 1)),
            (#""\ud83d""#, .loneSurrogate(offset: 1)), (#""\ud83dx""#, .loneSurrogate(offset: 1)),
            (#""\ud83d\u0041""#, .loneSurrogate(offset: 1)), (#""\udc0b""#, .loneSurrogate(offset: 1)),
            (#""\u0000""#, .nul(offset: 1)), ("\"a\u{0}\"", .nul(offset: 2)),
            ("\"a\nb\"", .unexpectedByte(0x0A, offset: 2)), ("\u{FEFF}1", .unexpectedByte(0xEF, offset: 0)),
        ])
    func bad(text: String, error: JSONError) {
        #expect(throws: error) { try JSONText.parse(Array(text.utf8)) }
    }

    @Test(
        "must be UTF-8", arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]])
    func encoding(bytes: [UInt8]) {
        #expect(throws: JSONError.notUTF8) { try JSONText.parse(bytes) }
    }

    @Test("nests to its limit and no deeper")
    func depth() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(throws: Never.self) { try JSONText.parse(nested(JSONText.depthLimit + 1)) }
        #expect(throws: JSONError.tooDeep(limit: JSONText.depthLimit)) {
            try JSONText.parse(nested(JSONText.depthLimit + 2))
        }
        for piece in ["[", "{\"a\":"] {
            let bytes = Array(String(repeating: piece, count: 100_000).utf8)
            #expect(throws: JSONError.tooDeep(limit: JSONText.depthLimit)) { try JSONText.parse(bytes) }
        }
    }

    @Test("takes numbers to their limit and none longer")
    func numbers() {
        func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: UInt8(ascii: "1"), count: count) }
        #expect(throws: Never.self) { try JSONText.parse(ones(256)) }
        #expect(throws: JSONError.numberTooLong(offset: 0, limitBytes: 256)) { try JSONText.parse(ones(257)) }
    }

    @Test(
        "is written so that no line and no script ends in it",
        arguments: [
            (JSONValue.string("</script>"), #""\u003c/script>""#), (.string("a\u{2028}\u{2029}"), #""a\u2028\u2029""#),
            (.string("\u{1}\u{1F}\u{7F}\n\"\\"), #""\u0001\u001f\u007f\n\"\\""#), (.string("é🐋"), "\"é🐋\""),
            (.number("1.50"), "1.50"), (.number("nan"), "null"), (.number(""), "null"), (.number("1,2"), "null"),
            (
                .object([.init("b", .null), .init("a", .array([.bool(true), .number("1")]))]),
                #"{"b":null,"a":[true,1]}"#
            ),
        ])
    func render(value: JSONValue, text: String) {
        #expect(String(decoding: JSONText.render(value), as: UTF8.self) == text)
    }

    @Test("takes single quotes where it is read leniently")
    func lenient() throws {
        let value = JSONValue.array([.string("it's"), .string("a\"b")])
        #expect(try JSONText.parseLenient(Array(#"['it\'s','a"b']"#.utf8)) == value)
        #expect(throws: JSONError.self) { try JSONText.parseLenient(Array("['a\"]".utf8)) }
    }

    /// Mutations of valid texts, read by Foundation's decoder and by ours: both take them or neither
    /// does.
    @Test("is what Foundation's decoder takes for JSON", arguments: 0..<8)
    func agreesWithFoundation(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let seeds = [
            #"{"a":[1,-2.5e3,"x\u00e9\n",null,true,false,{}],"b":"é"}"#, #"[[],{"k":"v"},0,10,"\ud83d\udc0b"]"#,
        ]
        let letters = Array(#"{}[]:,"\0123456789.-+eEtrufalsn dDbB '"#.utf8)
        for _ in 0..<2_000 {
            var text = Array(seeds[Int(random.next() % 2)].utf8)
            for _ in 0...(random.next() % 3) {
                let place = Int(random.next() % UInt64(text.count))
                let letter = letters[Int(random.next() % UInt64(letters.count))]
                switch random.next() % 3 {
                case 0: text[place] = letter
                case 1: text.insert(letter, at: place)
                default: text.remove(at: place)
                }
            }
            // Foundation takes a trailing comma, which RFC 8259 does not.
            let bare = text.filter { $0 != UInt8(ascii: " ") }
            if bare.firstRange(of: Array(",]".utf8)) != nil || bare.firstRange(of: Array(",}".utf8)) != nil { continue }
            let ours: Bool
            do throws(JSONError) {
                _ = try JSONText.parse(text)
                ours = true
            } catch {
                // Foundation takes one of the two.
                if case .duplicateKey = error { continue }
                ours = false
            }
            let theirs = (try? JSONDecoder().decode(AnyJSON.self, from: Data(text))) != nil
            #expect(ours == theirs, "\(String(decoding: text, as: UTF8.self))")
        }
    }
}

/// Decodes any JSON and keeps nothing of it.
private struct AnyJSON: Decodable {
    init(from decoder: any Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: Key.self) {
            for key in keyed.allKeys { _ = try keyed.decode(AnyJSON.self, forKey: key) }
            return
        }
        if var list = try? decoder.unkeyedContainer() {
            while !list.isAtEnd { _ = try list.decode(AnyJSON.self) }
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() || (try? single.decode(Bool.self)) != nil || (try? single.decode(String.self)) != nil {
            return
        }
        _ = try single.decode(Double.self)
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// Vigna's generator: the same numbers for the same seed.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
