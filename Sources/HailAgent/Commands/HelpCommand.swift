/// `hailwhale help [COMMAND]`.
enum HelpCommand {
    static func perform(_ arguments: [String], _ surroundings: Surroundings) throws(CommandError) -> Int32 {
        if arguments.count > 1 { throw .unexpectedArgument(arguments[1], command: "help") }
        let text: String
        if let name = arguments.first {
            guard let command = Command.named(name) else {
                throw Command.later.contains(name) ? .notInThisVersion(name) : .unknownCommand(name)
            }
            text = page(of: command)
        } else {
            text = overview
        }
        return surroundings.output(Array(text.utf8)) ? ExitCode.success : ExitCode.inputOutput
    }

    private static var overview: String {
        var text = "hailwhale counts events: it takes lines over UDP and HTTP, adds them up and answers.\n\n"
        for command in Command.all { text += "    hailwhale \(padded(command.name, 10))\(command.summary)\n" }
        return text + "\n`hailwhale help COMMAND` explains one.\n"
    }

    private static func page(of command: Command) -> String {
        let usage = command.usage.isEmpty ? "" : " " + command.usage
        var text = "hailwhale \(command.name)\(usage)\n\n\(command.name) \(command.summary).\n"
        if !command.options.isEmpty {
            text += "\n"
            for option in command.options {
                let flag = "--\(option.name)" + (option.valueName.map { " " + $0 } ?? "")
                text += "  \(padded(flag, 24))\(option.meaning)\n"
            }
        }
        if command.takesRunOptions { text += "\n" + runOptions }
        return text
    }

    /// The options of `run`, from the table that parses them.
    static var runOptions: String {
        var text = ""
        for option in RunOption.all {
            let flag = option.valueName.isEmpty ? "--\(option.name)" : "--\(option.name) \(option.valueName)"
            text += "  \(option.isFileOnly ? "\"\(option.name)\": \(option.valueName)" : flag)\n"
            text += "      \(option.meaning)\n"
            text += "      allowed: \(option.allowed)\n"
            if let standard = option.standard { text += "      default: \(standard)\n" }
            if !option.isFileOnly { text += "      environment: \(RunOption.variable(of: option.name))\n" }
        }
        return text + """

            Flags win over the environment, that over the file of --config, whose keys are the names above
            without the dashes; an empty variable counts as not set, and so does one that is missing.

            """
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
