import HailNet
import Testing

@testable import HailAgent

@Suite("Entity tag")
struct EntityTagTests {
    private func answer(_ body: String, _ fields: [HTTPField], method: String = "GET") -> HTTPResponse {
        let request = HTTPRequest(
            method: method, target: HTTPTarget(parsing: Array("/totals".utf8)), headers: HTTPHeaders(fields))
        return EntityTag.tagged(
            HTTPResponse(headers: [HTTPField("Cache-Control", "no-store")], body: Array(body.utf8)), for: request)
    }

    private func tag(_ response: HTTPResponse) -> String? { response.headers.first { $0.name == "ETag" }?.value }

    @Test("is that of the bytes")
    func bytes() throws {
        let one = try #require(tag(answer("{}", [])))
        #expect(one.utf8.count == 24 && one.hasPrefix("\"") && one.hasSuffix("\""))
        #expect(tag(answer("{}", [])) == one)
        #expect(tag(answer("[]", [])) != one)
        #expect(answer("{}", []).headers.filter { $0.name == "Cache-Control" }.map(\.value) == ["private, no-cache"])
    }

    @Test("spares a caller who names it the body")
    func match() throws {
        let one = try #require(tag(answer("{}", [])))
        for text in [one, "W/\(one)", "\"a\" ,\t\(one) ", "*", "\"a,b\",\(one)"] {
            let response = answer("{}", [HTTPField("If-None-Match", text)])
            #expect(response.status == 304 && tag(response) == one, "\(text)")
        }
        #expect(answer("{}", [HTTPField("If-None-Match", "\"a\""), HTTPField("if-none-match", one)]).status == 304)
        for text in ["", "\"\"", String(one.dropLast()), "w/\(one)", one + "x", "\(one.dropLast())a\""] {
            #expect(answer("{}", [HTTPField("If-None-Match", text)]).status == 200, "\(text)")
        }
        #expect(answer("{}", [HTTPField("If-None-Match", one)], method: "POST").status == 200)
    }

    @Test("is not given to errors")
    func errors() {
        let error = EntityTag.tagged(
            APIError.notFound.response,
            for: HTTPRequest(method: "GET", target: HTTPTarget(parsing: Array("/".utf8))))
        #expect(error.status == 404 && tag(error) == nil)
    }
}
