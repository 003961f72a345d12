import HailCore
import HailNet
import HailSeal

/// The strong entity tag of an answer, made of its bytes, and whether a caller has that answer already (RFC 9110, 8.8.3
/// and 13.1.2).
enum EntityTag {
    /// The answer with its tag; 304 where the request names it: the server then sends the body's length alone.
    ///
    /// A browser keeps the answer and asks each time whether it still holds.
    static func tagged(_ response: HTTPResponse, for request: HTTPRequest) -> HTTPResponse {
        guard response.status == 200 else { return response }
        var text: [UInt8] = []
        NameDigest.blake2b(response.body).appendText(to: &text)
        let tag = "\"" + String(decoding: text, as: UTF8.self) + "\""
        var response = response
        response.headers.removeAll { $0.name == "Cache-Control" }
        response.headers += [HTTPField("Cache-Control", "private, no-cache"), HTTPField("ETag", tag)]
        guard request.method != "POST", names(request.headers.all("If-None-Match"), tag) else { return response }
        response.status = 304
        return response
    }

    /// Whether a list of tags has this one; a weak tag of the same text is one.
    private static func names(_ lists: [String], _ tag: String) -> Bool {
        lists.contains { list in
            list.split(separator: ",").contains { item in
                var item = item.drop { $0 == " " || $0 == "\t" }
                while let last = item.last, last == " " || last == "\t" { item.removeLast() }
                if item.hasPrefix("W/") { item = item.dropFirst(2) }
                return item == tag || item == "*"
            }
        }
    }
}
