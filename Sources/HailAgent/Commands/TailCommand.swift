import HailCore
import HailWire

/// `hailwhale tail`: the spy log of an agent, oldest first, and what comes in from then on.
enum TailCommand {
    static let options = [
        CommandOption("agent", "URL", "the agent's HTTP address; default http://127.0.0.1:8085"),
        CommandOption("pk", "PATH", "only events of this subject and below"),
        CommandOption("last", "N", "events to begin with, 0 to 1000; default 10"),
        CommandOption("no-follow", nil, "ends after those"),
    ]

    static func perform(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> Int32 {
        let (values, words) = try CommandOption.read(arguments, of: options, command: "tail")
        if let word = words.first { throw .unexpectedArgument(word, command: "tail") }
        let address = values["agent"] ?? "http://127.0.0.1:8085"
        guard let agent = AgentURL(parsing: address) else {
            throw .wrongValue(option: "agent", value: address, allowed: AgentURL.allowed)
        }
        guard let last = Int(values["last"] ?? "10"), (0...1_000).contains(last) else {
            throw .wrongValue(option: "last", value: values["last"] ?? "", allowed: "a whole number from 0 to 1000")
        }
        let subject = values["pk"].map { "&pk=" + AgentURL.escaped($0) } ?? ""
        var seen: UInt64 = 0
        var left = last
        while true {
            let answer: FetchAnswer
            do {
                answer = try surroundings.fetch(agent, "/spy?after=\(seen)&limit=1000\(subject)")
            } catch {
                surroundings.complain("\(address) cannot be reached: \(error.reason)")
                return ExitCode.unavailable
            }
            guard answer.status == 200, let value = try? JSONText.parse(answer.body), case .array(let events) = value
            else {
                surroundings.complain(QueryCommand.refusal(answer, try? JSONText.parse(answer.body)))
                return ExitCode.fault
            }
            let lines = events.reversed().compactMap(Event.init)
            seen = max(seen, lines.last?.number ?? 0)
            for line in lines.suffix(left) {
                guard surroundings.say(line.text) else { return ExitCode.inputOutput }
            }
            left = 1_000
            if values["no-follow"] != nil { return ExitCode.success }
            surroundings.pause()
        }
    }

    /// An event as `/spy` answers it.
    private struct Event {
        let number: UInt64
        let text: String

        init?(_ value: JSONValue) {
            guard case .number(let number) = value["number"], let number = UInt64(number),
                case .number(let at) = value["at"], case .string(let line) = value["line"]
            else { return nil }
            self.number = number
            let seconds = at.split(separator: ".", maxSplits: 1)
            let fraction = seconds.count > 1 ? String(seconds[1].prefix(3)) : ""
            let millis = (Int64(fraction + String(repeating: "0", count: 3 - fraction.utf8.count)) ?? 0)
            let stamp = UTCTime.text(milliseconds: (Int64(seconds.first ?? "0") ?? 0) * 1_000 + millis)
            text = stamp + " " + AnswerTable.visible(line)
        }
    }
}
