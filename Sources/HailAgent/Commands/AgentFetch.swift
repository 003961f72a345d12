import Glibc

/// One GET to an agent, by HTTP/1.0, so that the answer ends where the connection does.
enum AgentFetch {
    /// The largest answer, in bytes.
    static let limitBytes = 256 << 20

    static func get(_ agent: AgentURL, _ target: String) throws(SystemError) -> FetchAnswer {
        let socket = try ClientSocket(to: .inet(agent.place), type: SOCK_STREAM)
        let request = "GET \(target) HTTP/1.0\r\nHost: \(agent.authority)\r\nAccept: application/json\r\n\r\n"
        return try answer(from: try socket.exchange(Array(request.utf8), limitBytes: limitBytes))
    }

    /// Takes a whole HTTP/1.x answer apart: status line, headers, body.
    static func answer(from bytes: [UInt8]) throws(SystemError) -> FetchAnswer {
        let failure = SystemError(reason: "the answer is no HTTP")
        guard let end = bytes.firstRange(of: [0x0D, 0x0A, 0x0D, 0x0A]) else { throw failure }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = head.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1])
        else { throw failure }
        let body = Array(bytes[end.upperBound...])
        for line in head.dropFirst() {
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, halves[0].lowercased() == "content-length" else { continue }
            guard let length = Int(halves[1].drop { $0 == " " }), length == body.count else {
                throw SystemError(reason: "the answer was cut short")
            }
        }
        return FetchAnswer(status: status, body: body)
    }
}
