internal import Dispatch
internal import HailCore
internal import HailWire

/// Asks an agent over HTTP, a connection a question.
///
/// A few questions are under way at once, on a queue of its own; others wait, and their time runs meanwhile.
final class Inquirer: Sendable {
    /// The questions that wait for their turn, first come first served, and how many have it.
    private struct Turns {
        var underWay = 0
        var waiting: [@Sendable () -> Void] = []

        /// The next question; whoever finds none has no turn any more.
        mutating func next() -> (@Sendable () -> Void)? {
            if !waiting.isEmpty { return waiting.removeFirst() }
            underWay -= 1
            return nil
        }
    }

    private let endpoint: Endpoint
    private let options: HailOptions
    private let queue = DispatchQueue(label: "hailwhale.client.http", attributes: .concurrent)
    private let turns = Lock(Turns())

    /// Questions under way at once, each of which holds a thread.
    private static let atOnce = 4

    init(_ endpoint: Endpoint, _ options: HailOptions) {
        self.endpoint = endpoint
        self.options = options
    }

    /// The answer to a `GET` with these parameters.
    func get(_ path: String, _ parameters: [(name: String, text: String)]) async throws(HailError) -> JSONValue {
        let patience = Patience(seconds: options.timeoutSeconds)
        let request = request(path, parameters)
        let outcome: Result<HTTPAnswer, HailError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                takeTurn {
                    continuation.resume(
                        returning: Result { () throws(HailError) in try self.answer(to: request, patience) })
                }
            }
        } onCancel: {
            patience.giveUp()
        }
        return try Inquirer.value(of: outcome.get())
    }

    private func takeTurn(_ ask: @escaping @Sendable () -> Void) {
        let isFree = turns.holding { turns in
            turns.waiting.append(ask)
            guard turns.underWay < Inquirer.atOnce else { return false }
            turns.underWay += 1
            return true
        }
        guard isFree else { return }
        queue.async {
            while let next = self.turns.holding({ $0.next() }) { next() }
        }
    }

    private func answer(to request: [UInt8], _ patience: Patience) throws(HailError) -> HTTPAnswer {
        try patience.check()
        let socket = try StreamSocket(to: endpoint, patience)
        try socket.send(request)
        var answer = HTTPAnswer(limitBytes: options.answerBytes)
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while !answer.isWhole {
            let bytes = try socket.receive(into: &room)
            if bytes.isEmpty { try answer.end() } else { try answer.take(bytes) }
        }
        return answer
    }

    private func request(_ path: String, _ parameters: [(name: String, text: String)]) -> [UInt8] {
        let query = parameters.map { "\($0.name)=\(Inquirer.escaped($0.text))" }.joined(separator: "&")
        return Array(
            """
            GET \(path)?\(query) HTTP/1.1\r
            Host: \(endpoint.authority)\r
            Accept: application/json\r
            Connection: close\r
            \r

            """.utf8)
    }

    /// A text with every byte escaped that may mean something in a query.
    private static func escaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }

    /// What an answer says.
    ///
    /// - Throws: `refused`, `badAnswer`.
    private static func value(of answer: HTTPAnswer) throws(HailError) -> JSONValue {
        guard let value = try? JSONText.parse(answer.body) else {
            throw .badAnswer("status \(answer.status) with a body that is no JSON")
        }
        if answer.status == 200 { return value }
        guard let error = value["error"], let code = error["code"]?.string, let message = error["message"]?.string
        else {
            throw .badAnswer("status \(answer.status)")
        }
        throw .refused(
            HailError.Refusal(
                status: answer.status, code: code, parameter: error["param"]?.string, message: message))
    }
}

extension Endpoint {
    /// What `Host` says.
    fileprivate var authority: String {
        switch self {
        case .unix: "localhost"
        case .host(let name, let port):
            // An address of IPv6 stands in brackets, without the interface that it is reached by.
            name.contains(":") ? "[\(name.prefix { $0 != "%" })]:\(port)" : "\(name):\(port)"
        }
    }
}
