/// One option of a command other than `run`.
struct CommandOption: Sendable {
    let name: String
    /// How help names the value; nil for a flag without one.
    let valueName: String?
    let meaning: String

    init(_ name: String, _ valueName: String?, _ meaning: String) {
        self.name = name
        self.valueName = valueName
        self.meaning = meaning
    }

    /// Reads `--name VALUE`, `--name=VALUE` and bare words.
    ///
    /// A value may begin with `-` (`--sort -dollars`), but not with `--`.
    static func read(
        _ arguments: [String], of options: [CommandOption], command: String
    ) throws(CommandError) -> (values: [String: String], words: [String]) {
        var values: [String: String] = [:]
        var words: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument != "-" else {
                words.append(argument)
                continue
            }
            let halves = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let flag = String(halves[0])
            guard let option = options.first(where: { "--" + $0.name == flag }) else {
                throw .unknownOption(flag, command: command)
            }
            guard values[option.name] == nil else { throw .repeatedOption(flag) }
            if option.valueName == nil {
                guard halves.count == 1 else { throw .unexpectedArgument(argument, command: command) }
                values[option.name] = "true"
            } else if halves.count == 2 {
                values[option.name] = String(halves[1])
            } else if let next = rest.popFirst(), !next.hasPrefix("--") {
                values[option.name] = next
            } else {
                throw .missingValue(flag)
            }
        }
        return (values, words)
    }
}
