import HailCore
import HailWire

/// `hailwhale send`: lines from stdin to an agent, packed into datagrams.
enum SendCommand {
    static let options = [
        CommandOption("to", "ADDRESS", "the agent's UDP address; default 127.0.0.1:8125")
    ]

    static func perform(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> Int32 {
        let (values, words) = try CommandOption.read(arguments, of: options, command: "send")
        if let word = words.first { throw .unexpectedArgument(word, command: "send") }
        let text = values["to"] ?? "127.0.0.1:8125"
        guard let target = DatagramTarget(parsing: text) else {
            throw .wrongValue(option: "to", value: text, allowed: DatagramTarget.allowed)
        }
        let send: Surroundings.DatagramSend
        do {
            send = try surroundings.openDatagrams(target)
        } catch {
            surroundings.complain("\(text) cannot be reached: \(error.reason)")
            return ExitCode.unavailable
        }
        var tally = Tally()
        var splitter = LineSplitter(limitBytes: Limits.datagramBytes)
        var packer = LinePacker(limitBytes: Limits.datagramBytes)
        var isWhole = true
        while true {
            guard let bytes = surroundings.input() else {
                isWhole = false
                break
            }
            let lines = bytes.isEmpty ? splitter.finish().map { [$0] } ?? [] : splitter.add(bytes)
            for line in lines {
                switch packer.add(line) {
                case .waiting: break
                case .full(let datagrams): for datagram in datagrams { tally.send(datagram, by: send) }
                case .tooLong: tally.refusedLines += 1
                }
            }
            if bytes.isEmpty { break }
        }
        if let last = packer.close() { tally.send(last, by: send) }
        surroundings.complain(tally.sentence(to: text))
        guard isWhole else {
            surroundings.complain("standard input could not be read to its end")
            return ExitCode.inputOutput
        }
        return tally.refusedLines == 0 ? ExitCode.success : ExitCode.fault
    }

    /// What became of the lines, as far as the sender can know: UDP does not say what arrives.
    struct Tally {
        var sentLines = 0
        var sentDatagrams = 0
        /// Longer than a datagram can be, or in a datagram that the system refused.
        var refusedLines = 0
        var refusedDatagrams = 0
        var lastRefusal: String?

        mutating func send(_ datagram: LinePacker.Datagram, by send: Surroundings.DatagramSend) {
            do throws(SystemError) {
                try send(datagram.bytes)
                sentLines += datagram.lineCount
                sentDatagrams += 1
            } catch {
                refusedLines += datagram.lineCount
                refusedDatagrams += 1
                lastRefusal = error.reason
            }
        }

        func sentence(to target: String) -> String {
            let reason = lastRefusal.map { " (\($0))" } ?? ""
            return "sent \(sentLines) lines in \(sentDatagrams) datagrams to \(target); "
                + "refused \(refusedLines) lines, \(refusedDatagrams) datagrams\(reason)"
        }
    }
}
