import HailCore
import HailNet
import Testing

@testable import HailAgent

@Suite("Request parameters")
struct RequestParametersTests {
    @Test(
        "are JSON values or bare strings",
        arguments: [
            ("test", JSONValue.string("test")), ("Product.42", .string("Product.42")), ("_", .string("_")),
            ("", .string("")), ("5", .number("5")), ("1.10", .number("1.10")), ("007", .string("007")),
            ("1e3", .number("1e3")), ("it's", .string("it's")), ("a,b", .string("a,b")), ("1,2", .string("1,2")),
            ("true", .bool(true)), ("null", .null), ("nullable", .string("nullable")),
            (#"["a",5]"#, .array([.string("a"), .number("5")])), ("['a']", .array([.string("a")])),
            ("{'a':'b'}", .object([.init("a", .string("b"))])), ("\"5\"", .string("5")), ("'5'", .string("5")),
        ])
    func values(text: String, value: JSONValue) throws {
        #expect(try RequestParameters.value(of: text, name: "pk") == value)
    }

    @Test("that begin like JSON and are none are refused", arguments: ["[", "[a]", "{'a'", "\"a", "'a", " [1", "{}x"])
    func slips(text: String) {
        let error = #expect(throws: ParameterError.self) { try RequestParameters.value(of: text, name: "pk") }
        #expect(error?.code == "bad_pk")
        #expect(error?.param == "pk")
    }

    @Test("with NUL are refused", arguments: ["a\u{0}b", "[\"a\u{0}\"]", #"["\u0000"]"#])
    func nul(text: String) {
        let error = #expect(throws: ParameterError.self) { try RequestParameters.value(of: text, name: "pk") }
        #expect(error?.code == "nul")
    }

    @Test(
        "have one canonical name",
        arguments: [("metric", "metrics"), ("dimension", "dimensions"), ("category", "pk"), ("option", "options")])
    func aliases(alias: String, name: String) throws {
        var parameters = RequestParameters()
        try parameters.add(form: Array("\(alias)=x".utf8))
        #expect(parameters.values == [name: .string("x")])
        let error = #expect(throws: ParameterError.self) { try parameters.add(form: Array("\(name)=y".utf8)) }
        #expect(error?.code == "duplicate_parameter")
        #expect(error?.param == name)
    }

    @Test("of a form are decoded")
    func form() throws {
        var parameters = RequestParameters()
        try parameters.add(form: Array("&pk=a+b%2Bc&dimensions=%5B%22geo%22%2C%22US%22%5D&flag&e=%C3%A9=%3D&".utf8))
        #expect(
            parameters.values == [
                "pk": .string("a b+c"), "dimensions": .array([.string("geo"), .string("US")]), "flag": .string(""),
                "e": .string("é=="),
            ])
    }

    @Test(
        "of a form are refused where they have no name, are repeated, or are broken JSON",
        arguments: [
            ("=1", "bad_request"), ("pk=1&pk=2", "duplicate_parameter"), ("pk=[", "bad_pk"), ("<b>=[", "bad_parameter"),
            (#"metrics={"a":1,"a":2}"#, "duplicate_key"),
        ])
    func badForm(text: String, code: String) {
        var parameters = RequestParameters()
        let error = #expect(throws: ParameterError.self) { try parameters.add(form: Array(text.utf8)) }
        #expect(error?.code == code)
    }

    @Test(
        "keep a zone's sign",
        arguments: [
            ("tz=+0200", "+0200"), ("tz=+1000", "+1000"), ("tz=-1000", "-1000"), ("tz=%2B0200", "+0200"),
            ("tz=America/New_York", "America/New_York"),
        ])
    func zone(form: String, zone: String) throws {
        var parameters = RequestParameters()
        try parameters.add(form: Array(form.utf8))
        #expect(parameters["tz"] == .string(zone))
    }

    @Test("of a JSON body are its members, and strings in it stay strings")
    func json() throws {
        var parameters = RequestParameters()
        try parameters.add(json: Array(#"{"pk":"[1]","metric":{"dollars":1.10},"category2":5}"#.utf8))
        #expect(
            parameters.values == [
                "pk": .string("[1]"), "metrics": .object([.init("dollars", .number("1.10"))]),
                "category2": .number("5"),
            ])
    }

    @Test(
        "of a JSON body must be one object",
        arguments: [
            ("[]", "bad_json"), ("", "bad_json"), ("{", "bad_json"), ("{'a':1}", "bad_json"), ("\"a\"", "bad_json"),
            (#"{"":1}"#, "bad_request"), (#"{"metric":"a","metrics":"b"}"#, "duplicate_parameter"),
            (#"{"pk":"a","pk":"b"}"#, "duplicate_key"), (#"{"metrics":{"a":1,"a":2}}"#, "duplicate_key"),
        ])
    func badJSON(text: String, code: String) {
        var parameters = RequestParameters()
        let error = #expect(throws: ParameterError.self) { try parameters.add(json: Array(text.utf8)) }
        #expect(error?.code == code)
    }
}

extension RequestParameters {
    /// Takes a form by the way the router goes: taken apart and decoded by the server first.
    fileprivate mutating func add(form: [UInt8]) throws {
        try add(pairs: try HTTPField.parse(form[...]).map { ($0.name, $0.value) })
    }
}
