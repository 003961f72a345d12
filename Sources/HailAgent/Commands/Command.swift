/// One command of `hailwhale`: what help says about it and what it does.
struct Command: Sendable {
    let name: String
    let summary: String
    /// What follows the name: `totals|plotpoints|rank [OPTION]…`.
    let usage: String
    /// Options of the command itself; `run` and `check` take `RunOption.all` instead.
    var options: [CommandOption] = []
    var takesRunOptions = false
    let perform: @Sendable (_ arguments: [String], Surroundings) throws(CommandError) -> Int32

    static let all: [Command] = [
        Command(
            name: "run", summary: "runs the agent", usage: "[OPTION]…", takesRunOptions: true,
            perform: RunCommand.perform),
        Command(
            name: "check", summary: "validates options, configuration and the store", usage: "[OPTION OF run]…",
            takesRunOptions: true, perform: CheckCommand.perform),
        Command(
            name: "send", summary: "sends lines from stdin to an agent, by UDP", usage: "[--to ADDRESS] <LINES",
            options: SendCommand.options, perform: SendCommand.perform),
        Command(
            name: "query", summary: "asks an agent for totals, plotpoints or a ranking",
            usage: "totals|plotpoints|rank [OPTION]…",
            options: QueryCommand.options, perform: QueryCommand.perform),
        Command(
            name: "tail", summary: "prints what an agent takes in, live", usage: "[OPTION]…",
            options: TailCommand.options, perform: TailCommand.perform),
        Command(name: "version", summary: "prints the version", usage: "", perform: VersionCommand.perform),
        Command(
            name: "help", summary: "explains a command", usage: "[COMMAND]", perform: HelpCommand.perform),
    ]

    /// Commands of later versions, by name.
    static let later = ["keygen", "pixel"]

    static func named(_ name: String) -> Command? { all.first { $0.name == name } }
}

/// Why a command was not carried out; all end with exit code 64.
enum CommandError: Error, Equatable {
    case noCommand
    case unknownCommand(String)
    case notInThisVersion(String)
    case unknownOption(String, command: String)
    case missingValue(String)
    case repeatedOption(String)
    case unexpectedArgument(String, command: String)
    case wrongValue(option: String, value: String, allowed: String)
    case option(OptionError)
}

extension CommandError: CustomStringConvertible {
    var description: String {
        switch self {
        case .noCommand: "a command is missing; `hailwhale help` lists them"
        case .unknownCommand(let name): "unknown command \(Log.quoted(name)); `hailwhale help` lists them"
        case .notInThisVersion(let what): "\(what) is not in this version (\(Version.text))"
        case .unknownOption(let flag, let command):
            "unknown option \(Log.quoted(flag)); `hailwhale help \(command)` lists them"
        case .missingValue(let flag): "\(flag) needs a value"
        case .repeatedOption(let flag): "\(flag) is given more than once"
        case .unexpectedArgument(let argument, let command):
            "unexpected argument \(Log.quoted(argument)); `hailwhale help \(command)` says what is taken"
        case .wrongValue(let option, let value, let allowed):
            "--\(option) \(Log.quoted(value)) is refused; allowed: \(allowed)"
        case .option(let error): "\(error)"
        }
    }
}
